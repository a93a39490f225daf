// What is offered once: the walkthrough at the first start, and a look at what a
// workspace's settings would loosen. Only looking is offered; a toast agrees to nothing.

import * as vscode from 'vscode';

import type { Guard } from './guard';
import { Command } from './ids';

const WELCOMED = 'welcomed';

export function offerStart(guard: Guard, context: vscode.ExtensionContext): vscode.Disposable {
  const offered = new Set<string>();
  const subscription = guard.onDidChange(() => {
    const { status } = guard;
    if (guard.server.kind !== 'running' || status === undefined) {
      return;
    }
    if (!context.globalState.get<boolean>(WELCOMED, false)) {
      void context.globalState.update(WELCOMED, true);
      void offer('Countersign guards the agents in this window.', 'Get Started', Command.openWalkthrough);
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
