// The calls that were blocked in the folders open here. The server takes them
// back from diagnostics when they are old; a list keeps them until the person
// dismisses them.

import { type HistoryEntry, entries } from '../documents/journal';
import type { JournalRow } from '../protocol/schemas';
import { Emitter } from './emitter';

/** Most that are listed. */
const MOST = 50;
/** How old one may be when the window opens. In milliseconds. */
const RECENT = 10 * 60_000;

/** Where dismissed ones are kept over reloads. */
export interface Memory {
  get(): readonly string[];
  set(dismissed: readonly string[]): void;
}

export class Blocked {
  private readonly changed = new Emitter<undefined>();
  readonly onDidChange = this.changed.event;
  private listed: HistoryEntry[] = [];
  private readonly since: number;

  constructor(
    private readonly memory: Memory,
    now: number,
  ) {
    this.since = now - RECENT;
  }

  /** The newest first. */
  all(): readonly HistoryEntry[] {
    return this.listed;
  }

  /** What the journal says now; folders are those that are open here. */
  update(rows: readonly JournalRow[], folders: readonly string[]): void {
    const dismissed = new Set(this.memory.get());
    this.listed = entries(rows)
      .filter(({ decision }) => decision === 'block')
      .filter(({ time, call, workspace }) => {
        const isHere = workspace !== undefined && folders.includes(workspace);
        return isHere && time >= this.since && !dismissed.has(call);
      })
      .slice(0, MOST);
    this.changed.fire(undefined);
  }

  dismiss(call: string): void {
    this.keep([call]);
  }

  dismissAll(): void {
    this.keep(this.listed.map((entry) => entry.call));
  }

  private keep(calls: readonly string[]): void {
    const gone = new Set(calls);
    this.memory.set([...this.memory.get().filter((call) => !gone.has(call)), ...calls].slice(-4 * MOST));
    this.listed = this.listed.filter(({ call }) => !gone.has(call));
    this.changed.fire(undefined);
  }
}
