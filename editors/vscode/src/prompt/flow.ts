// The flow of approvals through one prompt: one at a time, the oldest first, and
// never another one under the person's hand.

import { codeOf, messageOf } from '../protocol/decode';
import { ErrorCode, type ResolveApproval } from '../protocol/messages';
import type { Approval, ResolveResult } from '../protocol/schemas';
import { type Approvals, type Ended, howItEnded } from '../state/approvals';
import { approvalDocument } from './document';
import { Gate } from './gate';
import type { Chosen, FromPrompt } from './messages';
import type { OpenPrompt, PromptView } from './view';

export interface FlowPorts {
  readonly open: OpenPrompt;
  readonly answer: (params: ResolveApproval) => Promise<ResolveResult>;
  /** Says something in passing. */
  readonly say: (text: string) => void;
  /** Warns of something that a person should read. */
  readonly warn: (text: string) => void;
  readonly look: (id: string, at: 'change' | 'explanation') => void;
  /** Whether a new approval is shown without being asked for. */
  readonly reveals: () => boolean;
  readonly now: () => number;
}

export class ApprovalFlow {
  private view: PromptView | undefined;
  private current: { readonly id: string; readonly gate: Gate } | undefined;
  /** The approvals whose answers are on their way. */
  private readonly answering = new Set<string>();
  private showings = 0;

  constructor(
    private readonly approvals: Approvals,
    private readonly ports: FlowPorts,
  ) {
    approvals.onDidAdd((approval) => {
      this.added(approval);
    });
    approvals.onDidEnd((ended) => {
      this.ended(ended);
    });
  }

  /** Shows one; with the keyboard if the person asked for that. */
  show(id: string, focus: boolean): void {
    const approval = this.approvals.get(id);
    if (approval === undefined) {
      this.ports.say('That approval is over.');
      return;
    }
    if (this.current?.id !== id && !this.isAnswering()) {
      this.draw(approval);
    }
    this.openView(approval, focus);
    this.view?.reveal(focus);
  }

  /** Denies at once: a no needs no prompt. */
  async deny(id: string): Promise<void> {
    const approval = this.approvals.get(id);
    if (approval === undefined) {
      this.ports.say('That approval is over.');
      return;
    }
    await this.send(approval, { choice: 'deny' });
  }

  private added(approval: Approval): void {
    if (approval.focus) {
      this.show(approval.id, true);
      return;
    }
    if (this.current !== undefined) {
      this.tellPosition();
      if (this.ports.reveals()) {
        this.view?.reveal(false);
      }
    } else if (this.ports.reveals()) {
      this.show(approval.id, false);
    }
  }

  private ended({ approval, resolved }: Ended): void {
    const { id } = approval;
    const wasAnsweredHere = this.answering.delete(id);
    const said = wasAnsweredHere ? undefined : howItEnded(resolved);
    if (this.current?.id !== id) {
      this.tellPosition();
      return;
    }
    if (said !== undefined) {
      this.ports.say(`${approval.agent}: ${said}`);
    }
    this.next(said);
  }

  /** Shows the next one, or closes the prompt. */
  private next(notice?: string): void {
    this.current = undefined;
    const approval = this.approvals.all()[0];
    if (approval === undefined) {
      this.view?.close();
      this.view = undefined;
    } else if (this.view !== undefined) {
      this.draw(approval, notice);
    }
  }

  private draw(approval: Approval, notice?: string): void {
    this.showings += 1;
    const gate = new Gate(`${approval.id}.${this.showings}`, this.ports.now);
    this.current = { id: approval.id, gate };
    const document = approvalDocument(approval, {
      ticket: gate.ticket,
      ...this.position(approval.id),
      now: this.ports.now(),
      ...(notice !== undefined && { notice }),
    });
    this.openView(approval, false);
    this.view?.tell({ kind: 'show', document });
  }

  private openView(approval: Approval, focus: boolean): void {
    this.view ??= this.ports.open('Approval', focus, {
      onMessage: (message) => {
        this.heard(message);
      },
      onClosed: () => {
        this.closed();
      },
    });
    if (this.current === undefined) {
      this.draw(approval);
    }
  }

  private position(id: string): { number: number; of: number } {
    const ids = this.approvals.all().map((approval) => approval.id);
    return { number: ids.indexOf(id) + 1, of: ids.length };
  }

  private tellPosition(): void {
    if (this.current !== undefined) {
      this.view?.tell({ kind: 'position', ...this.position(this.current.id) });
    }
  }

  private heard(message: FromPrompt): void {
    const { current } = this;
    // What belongs to an earlier showing means nothing now.
    if (current === undefined || message.kind === 'ready' || message.ticket !== current.gate.ticket) {
      return;
    }
    switch (message.kind) {
      case 'shown':
        current.gate.shown();
        break;
      case 'whole':
        current.gate.whole();
        break;
      case 'choose':
        void this.choose(current.id, current.gate, message);
        break;
      case 'look':
        this.ports.look(current.id, message.at);
        break;
      case 'move':
        this.move(current.id, message.by);
        break;
    }
  }

  /** Whether the answer to what is shown is on its way. */
  private isAnswering(): boolean {
    return this.current !== undefined && this.answering.has(this.current.id);
  }

  private move(from: string, by: -1 | 1): void {
    const all = this.approvals.all();
    const index = all.findIndex(({ id }) => id === from);
    const approval = all[(index + by + all.length) % all.length];
    if (approval !== undefined && approval.id !== from && !this.isAnswering()) {
      this.draw(approval);
    }
  }

  private async choose(id: string, gate: Gate, chosen: Chosen): Promise<void> {
    const approval = this.approvals.get(id);
    if (approval === undefined || this.answering.has(id)) {
      return;
    }
    const { choice, message, rules = [], scope } = chosen;
    if (choice === 'deny' || choice === 'dismiss') {
      const told = message?.trim() ?? '';
      await this.send(approval, told === '' ? { choice } : { choice, message: told });
      return;
    }
    const objection = gate.objection();
    if (objection !== undefined) {
      this.view?.tell({ kind: 'notice', text: objection });
      return;
    }
    if (choice !== 'remember') {
      await this.send(approval, { choice });
    } else if (rules.length > 0 && rules.every((rule) => approval.suggestions.includes(rule))) {
      await this.send(approval, { choice, rules, scope: scope ?? 'session' });
    } else {
      this.view?.tell({ kind: 'notice', text: 'No rule was confirmed.' });
    }
  }

  private async send(approval: Approval, answer: Omit<ResolveApproval, 'id' | 'nonce'>): Promise<void> {
    const { id, nonce } = approval;
    if (this.answering.has(id)) {
      return;
    }
    this.answering.add(id);
    const isCurrent = this.current?.id === id;
    if (isCurrent) {
      this.view?.tell({ kind: 'answering', answering: true });
    }
    try {
      const { warning } = await this.ports.answer({ id, nonce, ...answer });
      if (warning !== undefined) {
        this.ports.warn(warning);
      }
    } catch (error) {
      this.notCounted(approval, error);
    }
  }

  private notCounted(approval: Approval, error: unknown): void {
    this.answering.delete(approval.id);
    const code = codeOf(error);
    // It is over, and its end is told by itself.
    if (code === ErrorCode.notFound || code === ErrorCode.changed) {
      this.approvals.resolve({
        id: approval.id,
        agent: approval.agent,
        session: approval.session,
        answer: code === ErrorCode.changed ? 'void' : 'aborted',
      });
      return;
    }
    const problem =
      code === ErrorCode.tooSoon ? 'It was shown only a moment ago. Look at it, and choose again.' : messageOf(error);
    const still = this.approvals.get(approval.id);
    if (still !== undefined && this.current?.id === approval.id) {
      this.draw(still, problem);
    } else {
      this.ports.warn(problem);
    }
  }

  /** Closing the prompt is a no to what it shows; what else waits goes on waiting. */
  private closed(): void {
    const { current } = this;
    this.view = undefined;
    this.current = undefined;
    const approval = current && this.approvals.get(current.id);
    if (approval !== undefined && !this.answering.has(approval.id)) {
      void this.send(approval, { choice: 'dismiss' });
    }
  }
}
