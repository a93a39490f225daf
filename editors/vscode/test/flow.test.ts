import { beforeEach, describe, expect, it } from 'vitest';

import { ApprovalFlow } from '../src/prompt/flow';
import type { ResolveApproval } from '../src/protocol/messages';
import type { ResolveResult } from '../src/protocol/schemas';
import { Approvals } from '../src/state/approvals';
import { approval } from './support/approval';
import { Screen } from './support/view';

let approvals: Approvals;
let screen: Screen;
let answers: ResolveApproval[];
let said: string[];
let now: number;
let reveals: boolean;
let fails: unknown;
let result: ResolveResult;
let flow: ApprovalFlow;

/** Lets what was answered arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await Promise.resolve();
  }
}

beforeEach(() => {
  approvals = new Approvals();
  screen = new Screen();
  answers = [];
  said = [];
  now = 1000;
  reveals = true;
  fails = undefined;
  result = { decision: 'allow' };
  flow = new ApprovalFlow(approvals, {
    open: screen.open,
    answer: (params) => {
      answers.push(params);
      if (fails !== undefined) {
        return Promise.reject(fails instanceof Error ? fails : Object.assign(new Error('refused'), fails));
      }
      approvals.resolve({ id: params.id, agent: 'claude-code', session: 's-1', answer: 'proceed_once', decision: 'allow' });
      return Promise.resolve(result);
    },
    say: (text) => said.push(text),
    warn: (text) => said.push(text),
    look: (id, at) => said.push(`${at} of ${id}`),
    reveals: () => reveals,
    now: () => now,
  });
});

describe('a prompt', () => {
  it('opens without the keyboard when an approval comes', () => {
    approvals.add(approval('1'));
    expect(screen.isOpen).toBe(true);
    expect(screen.reveals).not.toContain(true);
  });

  it('stays closed where the person wants it quiet', () => {
    reveals = false;
    approvals.add(approval('1'));
    expect(screen.opened).toBe(0);
  });

  it('takes the keyboard when the person asked for it by a code action', () => {
    approvals.add(approval('1', { focus: true }));
    expect(screen.reveals.at(-1)).toBe(true);
  });

  it('is not replaced by an approval that comes while it is read', () => {
    approvals.add(approval('1'));
    const { ticket } = screen.document;
    approvals.add(approval('2'));
    expect(screen.document.ticket).toBe(ticket);
    expect(screen.told.at(-1)).toEqual({ kind: 'position', number: 1, of: 2 });
  });

  it('holds no nonce', () => {
    approvals.add(approval('1'));
    expect(JSON.stringify(screen.told)).not.toContain('nonce of 1');
  });
});

describe('a yes', () => {
  it('counts after half a second and the whole text, with the nonce', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    screen.choose('approve');
    await settled();
    expect(answers).toEqual([{ id: '1', nonce: 'nonce of 1', choice: 'approve' }]);
    expect(screen.isOpen).toBe(false);
    expect(said).toEqual([]);
  });

  it('does not count before half a second', () => {
    approvals.add(approval('1'));
    screen.read();
    now += 499;
    screen.choose('approve');
    expect(answers).toEqual([]);
    expect(screen.notices).toHaveLength(1);
  });

  it('does not count before the whole text was shown', () => {
    approvals.add(approval('1'));
    screen.say({ kind: 'shown', ticket: screen.document.ticket });
    now += 5000;
    screen.choose('approve');
    expect(answers).toEqual([]);
    expect(screen.notices[0]).toContain('Scroll');
  });

  it('to what was shown before does not count for what is shown now', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 1000;
    const { ticket } = screen.document;
    approvals.add(approval('2'));
    approvals.resolve({ id: '1', agent: 'a', session: 's', answer: 'cancel', decision: 'block' });
    screen.say({ kind: 'choose', ticket, choice: 'approve' });
    await settled();
    expect(answers).toEqual([]);
  });

  it('twice is one answer', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    screen.choose('approve');
    screen.choose('approve');
    await settled();
    expect(answers).toHaveLength(1);
  });

  it('that the server takes for too quick can be given again', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    fails = { code: -31002 };
    screen.choose('approve');
    await settled();
    expect(screen.document.notice).toContain('moment ago');
    fails = undefined;
    screen.read();
    now += 500;
    screen.choose('approve');
    await settled();
    expect(answers).toHaveLength(2);
    expect(approvals.count).toBe(0);
  });

  it('to what changed meanwhile ends the prompt', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    fails = { code: -31003 };
    screen.choose('approve');
    await settled();
    expect(screen.isOpen).toBe(false);
    expect(said[0]).toContain('changed');
  });

  it('says what did not go as chosen', async () => {
    result = { decision: 'allow', warning: 'the rule is not remembered' };
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    screen.choose('approve');
    await settled();
    expect(said).toEqual(['the rule is not remembered']);
  });
});

describe('remembering', () => {
  it('sends the rules that were offered and confirmed, for the session unless said otherwise', async () => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    screen.choose('remember', { rules: ['Bash(cargo test *)'] });
    await settled();
    expect(answers[0]).toMatchObject({ choice: 'remember', rules: ['Bash(cargo test *)'], scope: 'session' });
  });

  it.each([[['Bash(*)']], [[]], [['Bash(cargo test *)', 'Bash(*)']]])('refuses %j', async (rules) => {
    approvals.add(approval('1'));
    screen.read();
    now += 500;
    screen.choose('remember', { rules });
    await settled();
    expect(answers).toEqual([]);
  });
});

describe('a no', () => {
  it('counts at once, with what the agent is told', async () => {
    approvals.add(approval('1'));
    screen.choose('deny', { message: ' use a branch ' });
    await settled();
    expect(answers).toEqual([{ id: '1', nonce: 'nonce of 1', choice: 'deny', message: 'use a branch' }]);
  });

  it('is closing the prompt, for what it shows and nothing else', async () => {
    approvals.add(approval('1'));
    approvals.add(approval('2'));
    screen.closeByPerson();
    await settled();
    expect(answers).toEqual([{ id: '1', nonce: 'nonce of 1', choice: 'dismiss' }]);
    expect(approvals.all().map(({ id }) => id)).toEqual(['2']);
    expect(screen.isOpen).toBe(false);
  });

  it('from the list needs no prompt', async () => {
    reveals = false;
    approvals.add(approval('1'));
    await flow.deny('1');
    expect(answers[0]?.choice).toBe('deny');
  });
});

describe('an approval that ends elsewhere', () => {
  it('closes its prompt and says so', () => {
    approvals.add(approval('1'));
    approvals.resolve({ id: '1', agent: 'claude-code', session: 's', answer: 'proceed_once', decision: 'allow' });
    expect(screen.isOpen).toBe(false);
    expect(said).toEqual(['claude-code: Approved elsewhere.']);
  });

  it('gives way to the next one, which begins anew', () => {
    approvals.add(approval('1'));
    approvals.add(approval('2'));
    screen.read();
    now += 1000;
    approvals.resolve({ id: '1', agent: 'claude-code', session: 's', answer: 'timeout', decision: 'block' });
    expect(screen.document.ticket).toContain('2');
    expect(screen.document.notice).toContain('in time');
    screen.say({ kind: 'choose', ticket: screen.document.ticket, choice: 'approve' });
    expect(answers).toEqual([]);
  });

  it('is over for all when the server ends', () => {
    approvals.add(approval('1'));
    approvals.add(approval('2'));
    approvals.clear();
    expect(approvals.count).toBe(0);
    expect(screen.isOpen).toBe(false);
  });
});

describe('twenty approvals at once', () => {
  it('are one prompt, the oldest first, and each can be gone to', () => {
    for (let number = 1; number <= 20; number += 1) {
      approvals.add(approval(String(number)));
    }
    expect(screen.opened).toBe(1);
    expect(screen.told.at(-1)).toEqual({ kind: 'position', number: 1, of: 20 });
    screen.say({ kind: 'move', ticket: screen.document.ticket, by: -1 });
    expect(screen.document.position).toEqual({ number: 20, of: 20 });
    screen.say({ kind: 'move', ticket: screen.document.ticket, by: 1 });
    expect(screen.document.position).toEqual({ number: 1, of: 20 });
  });
});
