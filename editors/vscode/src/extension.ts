// Where the extension begins and ends.

import * as vscode from 'vscode';

import { Command, STATUS_ITEM } from './ids';

export function activate(context: vscode.ExtensionContext): void {
  const item = vscode.window.createStatusBarItem(STATUS_ITEM, vscode.StatusBarAlignment.Left, 50);
  item.name = 'Countersign';
  item.text = '$(shield) starting';
  item.command = Command.menu;
  item.show();
  context.subscriptions.push(item);
}
