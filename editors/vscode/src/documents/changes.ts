// The two sides of proposed changes, as read-only documents.

import * as vscode from 'vscode';

/** Most sides that are kept; the oldest go first. */
const MOST = 64;

export class Changes implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  put(uri: vscode.Uri, text: string): void {
    const key = uri.toString();
    this.texts.delete(key);
    this.texts.set(key, text);
    for (const oldest of [...this.texts.keys()].slice(0, Math.max(0, this.texts.size - MOST))) {
      this.texts.delete(oldest);
    }
    this.changed.fire(uri);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }
}
