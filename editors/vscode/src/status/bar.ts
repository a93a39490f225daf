// The status bar item.

import * as vscode from 'vscode';

import type { Guard } from '../guard';
import { Command, STATUS_ITEM } from '../ids';
import { clock } from '../text/clock';
import { type StatusInput, statusText, tooltip } from './text';

const LINKS = {
  focusApproval: Command.focusApproval,
  chooseMode: Command.chooseMode,
  showSessions: Command.showSessions,
  showJournal: Command.showJournal,
  showLog: Command.showLog,
  restartServer: Command.restartServer,
} as const;

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(STATUS_ITEM, vscode.StatusBarAlignment.Left, 50);
  private readonly subscriptions: { dispose(): void }[];

  constructor(private readonly guard: Guard) {
    this.item.name = 'Countersign';
    this.item.command = Command.menu;
    const draw = (): void => {
      this.draw();
    };
    this.subscriptions = [guard.onDidChange(draw), guard.approvals.onDidChange(draw)];
    this.draw();
    this.item.show();
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions, this.item).dispose();
  }

  private draw(): void {
    const input: StatusInput = {
      server: this.guard.server,
      status: this.guard.status,
      waiting: this.guard.approvals.count,
    };
    const { text, background, spoken } = statusText(input);
    this.item.text = text;
    this.item.accessibilityInformation = { label: spoken, role: 'button' };
    this.item.backgroundColor =
      background === 'none' ? undefined : new vscode.ThemeColor(`statusBarItem.${background}Background`);
    const markdown = new vscode.MarkdownString(tooltip(input, LINKS, clock), true);
    // Our own commands and no others, whatever an agent managed to have named.
    markdown.isTrusted = { enabledCommands: Object.values(LINKS) };
    this.item.tooltip = markdown;
  }
}
