// The view "Sessions": who works here, in which mode, and how near to the caps.

import * as vscode from 'vscode';

import { named } from '../acts/sessions';
import type { Guard } from '../guard';
import { Command } from '../ids';
import { counted } from '../prompt/document';
import type { Session } from '../protocol/schemas';
import { against } from '../status/text';
import { clock } from '../text/clock';
import { code, plain } from '../text/visible';

export class SessionItem extends vscode.TreeItem {
  constructor(readonly session: Session) {
    super(named(session), vscode.TreeItemCollapsibleState.None);
    const { agent, subagent, ended, pending, armed, elsewhere, paused, counters, limits, mode } = session;
    this.id = [agent, session.session, subagent ?? ''].join('\n');
    const notes = [
      pending > 0 ? `${pending} wait` : '',
      armed === undefined ? '' : 'the next call asks',
      paused ? 'asking is paused' : '',
      elsewhere ? 'decided elsewhere' : '',
      ended ? 'ended' : '',
    ];
    this.description = [`${mode}  ${against(counters, limits)}`, ...notes.filter(Boolean)].join(' · ');
    this.iconPath = icon(session);
    this.contextValue = elsewhere || ended ? 'session.elsewhere' : 'session';
    this.tooltip = tooltip(session);
    this.command = { command: Command.showSession, title: 'Show Session', arguments: [session.uri] };
  }
}

function icon({ ended, pending, armed }: Session): vscode.ThemeIcon {
  if (pending > 0) {
    return new vscode.ThemeIcon('bell-dot', new vscode.ThemeColor('list.warningForeground'));
  }
  if (armed !== undefined) {
    return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  }
  return new vscode.ThemeIcon(ended ? 'circle-outline' : 'circle-filled');
}

function tooltip(session: Session): vscode.MarkdownString {
  const lines = [
    `**${plain(session.agent)}** ${code(session.session)}`,
    `Mode: ${plain(session.mode)}`,
    `Denials: ${plain(counted(session.counters, session.limits))}`,
    `Seen: ${plain(clock(session.seen))}, began ${plain(clock(session.started))}`,
  ];
  if (session.workspace !== undefined) {
    lines.push(`In ${code(session.workspace)}`);
  }
  if (session.setAside.length > 0) {
    lines.push(`Set aside in auto mode: ${session.setAside.map(code).join(', ')}`);
  }
  return new vscode.MarkdownString(lines.join('\n\n'));
}

export class SessionsView implements vscode.TreeDataProvider<SessionItem>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscription: { dispose(): void };

  constructor(private readonly guard: Guard) {
    this.subscription = guard.onDidChange(() => {
      this.changed.fire(undefined);
    });
  }

  getTreeItem(item: SessionItem): SessionItem {
    return item;
  }

  getChildren(item?: SessionItem): SessionItem[] {
    return item === undefined ? (this.guard.status?.sessions ?? []).map((session) => new SessionItem(session)) : [];
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }
}
