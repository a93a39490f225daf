// The approvals that wait, with their nonces: the only place that has them, in
// memory, and nothing exported to others ever reaches it.

import type { Approval, ApprovalResolved } from '../protocol/schemas';
import { Emitter } from './emitter';

/** An approval that is over. */
export interface Ended {
  readonly approval: Approval;
  readonly resolved: ApprovalResolved | undefined;
}

/** Most approvals that are kept; the server has at most 32. */
const MOST = 256;

export class Approvals {
  private readonly waiting = new Map<string, Approval>();
  private readonly added = new Emitter<Approval>();
  private readonly ended = new Emitter<Ended>();
  private readonly changed = new Emitter<undefined>();

  /** One came, or came again with `focus` because a person wants to see it. */
  readonly onDidAdd = this.added.event;
  readonly onDidEnd = this.ended.event;
  readonly onDidChange = this.changed.event;

  get(id: string): Approval | undefined {
    return this.waiting.get(id);
  }

  /** The oldest first. */
  all(): Approval[] {
    return [...this.waiting.values()].sort((one, other) => one.askedAt - other.askedAt);
  }

  newest(): Approval | undefined {
    return this.all().at(-1);
  }

  get count(): number {
    return this.waiting.size;
  }

  add(approval: Approval): void {
    if (!this.waiting.has(approval.id) && this.waiting.size >= MOST) {
      return;
    }
    this.waiting.set(approval.id, approval);
    this.changed.fire(undefined);
    this.added.fire(approval);
  }

  resolve(resolved: ApprovalResolved): void {
    this.end(resolved.id, resolved);
    this.changed.fire(undefined);
  }

  /** What the server says waits, after a start: whatever else was there is over. */
  replace(approvals: readonly Approval[]): void {
    const ids = new Set(approvals.map(({ id }) => id));
    for (const id of [...this.waiting.keys()].filter((id) => !ids.has(id))) {
      this.end(id, undefined);
    }
    for (const approval of approvals.filter(({ id }) => !this.waiting.has(id))) {
      this.waiting.set(approval.id, approval);
      this.added.fire(approval);
    }
    this.changed.fire(undefined);
  }

  /** The server is gone, and every approval with it. */
  clear(): void {
    this.replace([]);
  }

  private end(id: string, resolved: ApprovalResolved | undefined): void {
    const approval = this.waiting.get(id);
    if (approval !== undefined) {
      this.waiting.delete(id);
      this.ended.fire({ approval, resolved });
    }
  }
}

/** How an approval ended, for a person who did not answer it here. */
export function howItEnded(resolved: ApprovalResolved | undefined): string {
  switch (resolved?.answer) {
    case undefined:
      return 'The server ended. The agent was told no, or asks by itself.';
    case 'proceed_once':
    case 'proceed_always':
    case 'proceed_once_and_switch_to_default':
      return 'Approved elsewhere.';
    case 'cancel':
      return 'Denied elsewhere.';
    case 'timeout':
      return 'Denied: nobody answered in time.';
    case 'aborted':
      return 'Over: the agent gave the call up.';
    case 'void':
      return 'It changed after it was shown, and is decided anew.';
    default:
      return resolved?.decision === 'allow' ? 'Allowed elsewhere.' : 'Denied elsewhere.';
  }
}
