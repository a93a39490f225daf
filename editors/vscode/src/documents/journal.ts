// The journal as Markdown and as a list, as pure functions of its rows.

import type { JournalRow } from '../protocol/schemas';
import { code, plain, shortened } from '../text/visible';

/** What the list of decisions is narrowed to. */
export interface HistoryFilter {
  readonly decision?: 'allow' | 'block' | 'ask';
  readonly session?: string;
  readonly tool?: string;
  readonly reason?: string;
  /** Only calls in folders that are open here. */
  readonly here?: true;
  /** In the subject or the detail, whatever the case. */
  readonly words?: string;
}

/** An entry of the list: a call with the last that is known of it. */
export interface HistoryEntry {
  readonly call: string;
  readonly time: number;
  readonly agent: string;
  readonly session: string;
  readonly tool: string;
  readonly decision: string;
  readonly reason: string;
  readonly detail: string;
  readonly subject: string;
  readonly workspace: string | undefined;
  readonly isGrantable: boolean;
}

const GRANTABLE = new Set(['classifier_blocked', 'classifier_unavailable']);

/** How a person or the time answered an ask, in the words of decisions. */
const ANSWERS: readonly (readonly [answer: string, reason: string])[] = [
  ['proceed_once', 'approval'],
  ['proceed_always', 'approval'],
  ['proceed_once_and_switch_to_default', 'approval'],
  ['cancel', 'person'],
];

/** The calls among rows, each with the last that was decided of it, the newest first. */
export function entries(rows: readonly JournalRow[]): HistoryEntry[] {
  const found = new Map<string, HistoryEntry>();
  const put = (entry: HistoryEntry): void => {
    // What was decided last stands last.
    found.delete(entry.call);
    found.set(entry.call, entry);
  };
  for (const row of rows) {
    const { kind, call, time } = row;
    const decision = row.decision ?? '';
    const reason = row.reason ?? '';
    const known = found.get(call ?? '');
    if (call == null || decision === '') {
      continue;
    }
    if (kind === 'decision') {
      put({
        call,
        time,
        agent: row.key?.agent ?? '',
        session: row.key?.session ?? '',
        tool: row.tool ?? '',
        decision,
        reason,
        detail: row.detail ?? '',
        subject: row.subject ?? '',
        workspace: row.workspace ?? undefined,
        isGrantable: decision === 'block' && GRANTABLE.has(reason),
      });
    } else if (kind === 'answer' && known !== undefined) {
      const said = ANSWERS.find(([answer]) => answer === reason)?.[1] ?? reason;
      put({ ...known, time, decision, reason: said, detail: row.detail ?? known.detail, isGrantable: false });
    }
  }
  return [...found.values()].reverse();
}

/** Those that a filter lets through. */
export function filtered(
  all: readonly HistoryEntry[],
  filter: HistoryFilter,
  folders: readonly string[],
): HistoryEntry[] {
  const words = filter.words?.toLowerCase();
  return all.filter(
    (entry) =>
      (filter.decision === undefined || entry.decision === filter.decision) &&
      (filter.session === undefined || entry.session === filter.session) &&
      (filter.tool === undefined || entry.tool === filter.tool) &&
      (filter.reason === undefined || entry.reason === filter.reason) &&
      (filter.here === undefined || (entry.workspace !== undefined && folders.includes(entry.workspace))) &&
      (words === undefined || `${entry.subject}\n${entry.detail}`.toLowerCase().includes(words)),
  );
}

/** A filter in words; empty if it lets everything through. */
export function described(filter: HistoryFilter): string {
  const { decision, session, tool, reason, here, words } = filter;
  return [
    decision ?? '',
    tool ?? '',
    reason ?? '',
    session === undefined ? '' : shortened(session, 16),
    here === undefined ? '' : 'this window',
    words === undefined ? '' : `“${shortened(words, 24)}”`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The newest rows as a document. What agents wrote stands in code that it cannot leave. */
export function journalPage(rows: readonly JournalRow[], at: (time: number) => string): string {
  const lines = ['# Countersign: journal', '', `The newest ${rows.length} rows, the newest first.`, ''];
  for (const row of [...rows].reverse()) {
    const who = row.key == null ? '' : ` ${plain(row.key.agent)} ${code(shortened(row.key.session, 16))}`;
    const what = row.tool == null ? '' : ` ${code(row.tool)}`;
    const said = [row.decision, row.reason].filter((word) => word != null).map(plain);
    lines.push(`- ${at(row.time)} **${plain(row.kind)}**${who}${what}${said.length > 0 ? `: ${said.join(', ')}` : ''}`);
    if (row.subject != null && row.subject !== '') {
      lines.push(`  - ${code(shortened(row.subject, 400))}`);
    }
    if (row.detail != null && row.detail !== '') {
      lines.push(`  - ${code(shortened(row.detail, 400))}`);
    }
    if (row.source != null) {
      lines.push(`  - by ${code(row.source)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
