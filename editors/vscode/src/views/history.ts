// The view "Decisions": what was decided, the newest first, narrowed by filters;
// every entry says why.

import * as vscode from 'vscode';

import { type HistoryEntry, type HistoryFilter, described, entries, filtered } from '../documents/journal';
import type { Guard } from '../guard';
import { Command, Context } from '../ids';
import { clock } from '../text/clock';
import { code, plain, shortened } from '../text/visible';
import { CallItem } from './approvals';

const ROWS = 1000;
const LABEL = 100;
/** How long the list is left alone after a change. In milliseconds. */
const CALM = 300;

const ICONS = [
  ['allow', 'pass', 'testing.iconPassed'],
  ['block', 'error', 'list.errorForeground'],
  ['ask', 'question', 'list.warningForeground'],
] as const;

export class HistoryView implements vscode.TreeDataProvider<CallItem>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscription: { dispose(): void };
  private view: vscode.TreeView<CallItem> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private filter: HistoryFilter = {};

  constructor(private readonly guard: Guard) {
    this.subscription = guard.onDidChange(() => {
      if (this.view?.visible === true) {
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          this.refresh();
        }, CALM);
      }
    });
  }

  attach(view: vscode.TreeView<CallItem>): void {
    this.view = view;
    view.onDidChangeVisibility(({ visible }) => {
      if (visible) {
        this.refresh();
      }
    });
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  getTreeItem(item: CallItem): CallItem {
    return item;
  }

  async getChildren(item?: CallItem): Promise<CallItem[]> {
    return item === undefined ? (await this.entries()).map(draw) : [];
  }

  clearFilter(): void {
    this.set({});
  }

  /** Lets a person narrow the list, one thing at a time. */
  async pickFilter(): Promise<void> {
    const all = entries(await this.rows());
    const only = <K extends keyof HistoryEntry>(key: K): HistoryEntry[K][] => [...new Set(all.map((entry) => entry[key]))];
    type Item = vscode.QuickPickItem & { narrow?: () => HistoryFilter | Promise<HistoryFilter> };
    const separator = (label: string): Item => ({ label, kind: vscode.QuickPickItemKind.Separator });
    const items: Item[] = [
      { label: '$(clear-all) Show everything', narrow: () => ({}) },
      { label: '$(root-folder) Only this window', narrow: () => ({ ...this.filter, here: true }) },
      { label: '$(search) Only with words…', narrow: () => this.askWords() },
      separator('Decision'),
      ...(['allow', 'block', 'ask'] as const).map((decision): Item => ({
        label: decision,
        narrow: () => ({ ...this.filter, decision }),
      })),
      separator('Session'),
      ...only('session').slice(0, 20).map((session): Item => ({
        label: shortened(session, 60),
        narrow: () => ({ ...this.filter, session }),
      })),
      separator('Tool'),
      ...only('tool').map((tool): Item => ({ label: shortened(tool, 60), narrow: () => ({ ...this.filter, tool }) })),
      separator('Reason'),
      ...only('reason').map((reason): Item => ({
        label: shortened(reason, 60),
        narrow: () => ({ ...this.filter, reason }),
      })),
    ];
    const now = described(this.filter);
    const picked = await vscode.window.showQuickPick(items, {
      title: 'Filter decisions',
      placeHolder: now === '' ? 'Everything is shown' : `Shown: ${now}`,
    });
    if (picked?.narrow !== undefined) {
      this.set(await picked.narrow());
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscription.dispose();
    this.changed.dispose();
  }

  private async askWords(): Promise<HistoryFilter> {
    const words = await vscode.window.showInputBox({ title: 'Only decisions with these words', value: this.filter.words ?? '' });
    if (words === undefined) {
      return this.filter;
    }
    const { words: _, ...others } = this.filter;
    return words.trim() === '' ? others : { ...others, words: words.trim() };
  }

  private set(filter: HistoryFilter): void {
    this.filter = filter;
    const text = described(filter);
    if (this.view !== undefined) {
      this.view.description = text;
    }
    void vscode.commands.executeCommand('setContext', Context.filtered, text !== '');
    this.refresh();
  }

  private async rows(): Promise<Awaited<ReturnType<Guard['journal']>>> {
    if (this.guard.server.kind !== 'running') {
      return [];
    }
    const { session } = this.filter;
    try {
      // Of an ask and its answer both are needed, so the decision is no filter here.
      return await this.guard.journal({ limit: ROWS, ...(session !== undefined && { session }) });
    } catch {
      // The server ended meanwhile; the list is drawn again when it is back.
      return [];
    }
  }

  private async entries(): Promise<HistoryEntry[]> {
    const folders = (this.guard.status?.workspaces ?? []).map(({ folder }) => folder);
    return filtered(entries(await this.rows()), this.filter, folders);
  }
}

function draw(entry: HistoryEntry): CallItem {
  const item = new CallItem(entry.call, shortened(entry.subject === '' ? entry.tool : entry.subject, LABEL));
  item.description = `${entry.decision} · ${entry.reason} · ${clock(entry.time)}`;
  const [, icon, colour] = ICONS.find(([decision]) => decision === entry.decision) ?? ['', 'circle-outline', 'foreground'];
  item.iconPath = new vscode.ThemeIcon(icon, new vscode.ThemeColor(colour));
  item.contextValue = entry.isGrantable ? 'entry.grantable' : 'entry';
  const text = new vscode.MarkdownString();
  text.appendMarkdown(`**${plain(entry.decision)}** ${code(entry.tool)} (${plain(entry.reason)}), ${plain(entry.agent)}\n\n`);
  text.appendMarkdown(`${code(shortened(entry.subject, 1000))}\n\n${plain(entry.detail)}`);
  item.tooltip = text;
  item.command = { command: Command.explain, title: 'Why?', arguments: [entry.call] };
  return item;
}
