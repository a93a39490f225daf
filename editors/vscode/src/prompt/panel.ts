// A prompt as a web view panel beside the editor. It takes the keyboard only if
// the person asked for it.

import { randomBytes } from 'node:crypto';

import * as vscode from 'vscode';

import { decode } from '../protocol/decode';
import { FromPrompt, type ToPrompt } from './messages';
import { page } from './page';
import type { OpenPrompt, PromptView, PromptViewEvents } from './view';

class PromptPanel implements PromptView {
  private isReady = false;
  private isClosing = false;
  /** What is on the screen, for a web view that begins anew after it was hidden. */
  private lastShown: ToPrompt | undefined;
  private waiting: ToPrompt[] = [];

  constructor(
    private readonly panel: vscode.WebviewPanel,
    extension: vscode.Uri,
    events: PromptViewEvents,
    log: vscode.LogOutputChannel,
  ) {
    panel.iconPath = vscode.Uri.joinPath(extension, 'images', 'icon.png');
    panel.webview.onDidReceiveMessage((value: unknown) => {
      try {
        const message = decode('prompt', FromPrompt, value);
        if (message.kind === 'ready') {
          this.ready();
        } else {
          events.onMessage(message);
        }
      } catch (error) {
        log.error(String(error));
      }
    });
    panel.onDidDispose(() => {
      if (!this.isClosing) {
        this.isClosing = true;
        events.onClosed();
      }
    });
    const folder = vscode.Uri.joinPath(extension, 'dist', 'webview');
    const at = (name: string): string => panel.webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    panel.webview.html = page({
      cspSource: panel.webview.cspSource,
      script: at('prompt.js'),
      style: at('prompt-style.css'),
      scriptNonce: randomBytes(16).toString('base64url'),
    });
  }

  tell(message: ToPrompt): void {
    if (message.kind === 'show') {
      this.lastShown = message;
      this.waiting = [];
    }
    if (this.isReady) {
      void this.panel.webview.postMessage(message);
    } else if (message.kind !== 'show') {
      this.waiting.push(message);
    }
  }

  reveal(focus: boolean): void {
    if (focus) {
      this.panel.reveal(undefined, false);
    } else if (!this.panel.visible) {
      // Not over what the person works in.
      const active = vscode.window.tabGroups.activeTabGroup.viewColumn;
      const column = this.panel.viewColumn === active ? vscode.ViewColumn.Beside : undefined;
      this.panel.reveal(column, true);
    }
  }

  close(): void {
    this.isClosing = true;
    this.panel.dispose();
  }

  private ready(): void {
    this.isReady = true;
    const messages = this.lastShown === undefined ? this.waiting : [this.lastShown, ...this.waiting];
    this.waiting = [];
    for (const message of messages) {
      void this.panel.webview.postMessage(message);
    }
  }
}

/** Opens prompts as panels of a type. */
export function panels(type: string, extension: vscode.Uri, log: vscode.LogOutputChannel): OpenPrompt {
  return (title, focus, events) => {
    const panel = vscode.window.createWebviewPanel(
      type,
      title,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: !focus },
      {
        enableScripts: true,
        enableForms: false,
        enableCommandUris: false,
        enableFindWidget: true,
        localResourceRoots: [vscode.Uri.joinPath(extension, 'dist', 'webview')],
      },
    );
    return new PromptPanel(panel, extension, events, log);
  };
}
