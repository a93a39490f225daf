// The menu of the status bar. Pausing the guard is not in it, and nowhere else.

import * as vscode from 'vscode';

import type { Guard } from './guard';
import { Command } from './ids';
import { statusText } from './status/text';

type Item = vscode.QuickPickItem & { readonly command?: string };

export async function openMenu(guard: Guard): Promise<void> {
  const waiting = guard.approvals.count;
  const isRunning = guard.server.kind === 'running';
  const workspaces = guard.status?.workspaces ?? [];
  const entries = workspaces.reduce((sum, one) => sum + one.pending.length + one.withdrawn.length + one.removed.length, 0);
  const items: Item[] = [];
  if (waiting > 0) {
    items.push({
      label: `$(bell-dot) ${waiting === 1 ? 'Show what waits' : `Show the newest of ${waiting} that wait`}`,
      command: Command.focusApproval,
    });
  }
  if (isRunning) {
    items.push(
      { label: '$(settings) Mode…', description: guard.status?.mode ?? '', command: Command.chooseMode },
      { label: '$(book) Sessions…', description: `${guard.status?.sessions.length ?? 0}`, command: Command.showSessions },
      { label: '$(list-unordered) Journal', command: Command.showJournal },
      {
        label: '$(shield) Workspace settings…',
        description: entries > 0 ? `${entries} to review` : '',
        command: Command.reviewTrust,
      },
      { label: '$(debug-restart) Reset denial counters…', command: Command.resetCounters },
    );
  }
  items.push(
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: '$(plug) Install hooks for agents…', command: Command.installHooks },
    { label: '$(gear) Settings', command: Command.openSettings },
    { label: '$(mortar-board) Get started', command: Command.openWalkthrough },
    { label: '$(refresh) Restart server', command: Command.restartServer },
    { label: '$(output) Log', command: Command.showLog },
  );
  const { spoken } = statusText({ server: guard.server, status: guard.status, waiting });
  const picked = await vscode.window.showQuickPick(items, { title: 'Countersign', placeHolder: spoken });
  if (picked?.command !== undefined) {
    await vscode.commands.executeCommand(picked.command);
  }
}
