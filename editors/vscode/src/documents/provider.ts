// The documents of the scheme `countersign:`: sessions as the server draws them,
// explanations of calls, and the journal. All are read-only and follow the server.

import * as vscode from 'vscode';

import type { Guard } from '../guard';
import { JOURNAL_URI, SCHEME } from '../ids';
import { codeOf, messageOf } from '../protocol/decode';
import { ErrorCode } from '../protocol/messages';
import { clock } from '../text/clock';
import { journalPage } from './journal';

const ROWS = 500;
/** How long the journal is left alone after a change. In milliseconds. */
const CALM = 500;

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private timer: NodeJS.Timeout | undefined;
  private readonly subscriptions: { dispose(): void }[];

  constructor(private readonly guard: Guard) {
    let wasRunning = false;
    this.subscriptions = [
      guard.onDidRefresh((uri) => {
        this.refresh((document) => this.named(document) === uri);
      }),
      guard.onDidChange(() => {
        const isRunning = guard.server.kind === 'running';
        // All of them are stale after a start.
        if (isRunning && !wasRunning) {
          this.refresh(() => true);
        }
        wasRunning = isRunning;
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          this.refresh((document) => !this.isSession(document));
        }, CALM);
      }),
      vscode.workspace.onDidOpenTextDocument((document) => void toMarkdown(document)),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      if (uri.toString() === JOURNAL_URI) {
        return journalPage(await this.guard.journal({ limit: ROWS }), clock);
      }
      const [, call] = /^\/call\/(.+)$/.exec(uri.path) ?? [];
      if (call !== undefined) {
        return await this.guard.explain(decodeURIComponent(call));
      }
      // Percent-encoding is part of the name: as it came, not as VS Code writes it.
      return await this.guard.document(uri.toString());
    } catch (error) {
      return codeOf(error) === ErrorCode.notFound ? 'There is nothing to show here any more.\n' : `${messageOf(error)}\n`;
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.changed.dispose();
  }

  private named(document: vscode.TextDocument): string {
    return document.uri.toString();
  }

  private isSession(document: vscode.TextDocument): boolean {
    return document.uri.path.startsWith('/session/');
  }

  private refresh(concerns: (document: vscode.TextDocument) => boolean): void {
    for (const document of vscode.workspace.textDocuments) {
      if (document.uri.scheme === SCHEME && concerns(document)) {
        this.changed.fire(document.uri);
      }
    }
  }
}

/** They are Markdown, and their names have no ending that would say so. */
async function toMarkdown(document: vscode.TextDocument): Promise<void> {
  if (document.uri.scheme === SCHEME && document.languageId !== 'markdown') {
    await vscode.languages.setTextDocumentLanguage(document, 'markdown');
  }
}
