// What is offered by itself: a look at what a workspace's settings would loosen.
// Only looking is offered; a toast agrees to nothing. (VS Code opens the
// walkthrough when the extension is installed.)

import * as vscode from 'vscode';

import type { Guard } from './guard';
import { Command } from './ids';

export function offerReview(guard: Guard): vscode.Disposable {
  const offered = new Set<string>();
  const subscription = guard.onDidChange(() => {
    const { status } = guard;
    if (guard.server.kind !== 'running' || status === undefined) {
      return;
    }
    for (const { folder, trusted, pending, removed, consentDigest, removalDigest } of status.workspaces) {
      const what = `${folder} ${consentDigest ?? ''} ${removalDigest ?? ''}`;
      const waits = (trusted && pending.length > 0) || removed.length > 0;
      if (waits && !offered.has(what)) {
        offered.add(what);
        void offer('The settings of a folder changed what agents may do. It waits for you.', 'Review', Command.reviewTrust);
      }
    }
  });
  return new vscode.Disposable(() => {
    subscription.dispose();
  });
}

async function offer(text: string, title: string, command: string): Promise<void> {
  const chosen = await vscode.window.showInformationMessage(text, title);
  if (chosen === title) {
    await vscode.commands.executeCommand(command);
  }
}
