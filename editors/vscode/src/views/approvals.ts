// The view "Approvals": what waits, the oldest first, and what was blocked here
// until the person dismisses it.

import * as vscode from 'vscode';

import { named } from '../acts/sessions';
import type { HistoryEntry } from '../documents/journal';
import type { Guard } from '../guard';
import { Command, Context } from '../ids';
import { changesFiles, doing } from '../prompt/document';
import type { Approval } from '../protocol/schemas';
import type { Blocked } from '../state/blocked';
import { clock } from '../text/clock';
import { code, plain, shortened } from '../text/visible';

const LABEL = 120;

type Node = { readonly kind: 'approval'; readonly approval: Approval } | { readonly kind: 'blocked'; readonly entry: HistoryEntry };

/** What commands of a tree get: the call's id and nothing else of it. */
export class CallItem extends vscode.TreeItem {
  constructor(
    readonly callId: string,
    label: string,
  ) {
    super(label, vscode.TreeItemCollapsibleState.None);
    this.id = callId;
  }
}

export class ApprovalsView implements vscode.TreeDataProvider<CallItem>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: { dispose(): void }[];
  private view: vscode.TreeView<CallItem> | undefined;

  constructor(
    private readonly guard: Guard,
    private readonly blocked: Blocked,
  ) {
    const refresh = (): void => {
      this.refresh();
    };
    this.subscriptions = [guard.approvals.onDidChange(refresh), guard.onDidChange(refresh), blocked.onDidChange(refresh)];
  }

  attach(view: vscode.TreeView<CallItem>): void {
    this.view = view;
    this.refresh();
  }

  getTreeItem(item: CallItem): CallItem {
    return item;
  }

  getChildren(item?: CallItem): CallItem[] {
    return item === undefined ? this.nodes().map(draw) : [];
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.changed.dispose();
  }

  private nodes(): Node[] {
    const approvals = this.guard.approvals.all().map((approval): Node => ({ kind: 'approval', approval }));
    return [...approvals, ...this.blocked.all().map((entry): Node => ({ kind: 'blocked', entry }))];
  }

  private refresh(): void {
    const waiting = this.guard.approvals.count;
    if (this.view !== undefined) {
      const tooltip = waiting === 1 ? '1 approval waits' : `${waiting} approvals wait`;
      this.view.badge = waiting === 0 ? undefined : { value: waiting, tooltip };
    }
    void vscode.commands.executeCommand('setContext', Context.waiting, waiting > 0);
    void vscode.commands.executeCommand('setContext', Context.blocked, this.blocked.all().length > 0);
    this.changed.fire(undefined);
  }
}

function draw(node: Node): CallItem {
  return node.kind === 'approval' ? waitingItem(node.approval) : blockedItem(node.entry);
}

function waitingItem(approval: Approval): CallItem {
  const item = new CallItem(approval.id, shortened(approval.text, LABEL));
  item.description = `${named(approval)} wants to ${doing(approval.tool)}`;
  item.iconPath = new vscode.ThemeIcon('bell-dot', new vscode.ThemeColor('list.warningForeground'));
  item.contextValue = changesFiles(approval.tool) ? 'approval.change' : 'approval';
  const text = new vscode.MarkdownString();
  text.appendMarkdown(`**${plain(approval.agent)}** wants to ${plain(doing(approval.tool))}: ${plain(approval.why)}\n\n`);
  text.appendMarkdown(`${code(shortened(approval.text, 1000))}\n\nClick to see all of it.`);
  item.tooltip = text;
  item.command = { command: Command.showApproval, title: 'Show', arguments: [approval.id] };
  item.accessibilityInformation = { label: `Waits: ${approval.agent} wants to ${doing(approval.tool)}` };
  return item;
}

function blockedItem(entry: HistoryEntry): CallItem {
  const item = new CallItem(entry.call, shortened(entry.subject, LABEL));
  item.description = `blocked: ${entry.reason} · ${clock(entry.time)}`;
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  item.contextValue = entry.isGrantable ? 'blocked.grantable' : 'blocked';
  const text = new vscode.MarkdownString();
  text.appendMarkdown(`**${plain(entry.agent)}** ${code(entry.tool)}: blocked, ${plain(entry.reason)}\n\n`);
  text.appendMarkdown(`${code(shortened(entry.subject, 1000))}\n\n${plain(entry.detail)}`);
  item.tooltip = text;
  item.command = { command: Command.explain, title: 'Why?', arguments: [entry.call] };
  return item;
}
