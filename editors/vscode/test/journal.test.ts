import { describe, expect, it } from 'vitest';

import { entries, filtered, described, journalPage } from '../src/documents/journal';
import type { JournalRow } from '../src/protocol/schemas';
import { Blocked } from '../src/state/blocked';

function row(seq: number, change: Partial<JournalRow> = {}): JournalRow {
  return {
    seq,
    time: seq * 1000,
    kind: 'decision',
    key: { agent: 'qwen', session: 's-1', subagent: null },
    call: `call-${seq}`,
    tool: 'run_shell_command',
    workspace: '/w',
    decision: 'allow',
    reason: 'rule',
    detail: 'allow rule',
    subject: 'cargo test',
    ...change,
  };
}

const ROWS = [
  row(1),
  row(2, { decision: 'block', reason: 'classifier_blocked', subject: 'git push' }),
  row(3, { kind: 'answer' }),
  row(4, { decision: 'block', reason: 'rule_denied', workspace: '/other', key: { agent: 'qwen', session: 's-2' } }),
];

describe('the list of decisions', () => {
  it('has decisions only, the newest first', () => {
    expect(entries(ROWS).map(({ call }) => call)).toEqual(['call-4', 'call-2', 'call-1']);
  });

  it('has each call once, as it was decided in the end', () => {
    const asked = row(5, { call: 'c', decision: 'ask', reason: 'approval_mode', subject: 'make' });
    const { subject: _, workspace: __, ...bare } = row(6, { kind: 'answer', call: 'c', decision: 'block', reason: 'cancel', detail: 'a person said no' });
    expect(entries([asked, ...ROWS, bare])).toHaveLength(4);
    expect(entries([asked, ...ROWS, bare])[0]).toMatchObject({
      call: 'c',
      decision: 'block',
      reason: 'person',
      subject: 'make',
      workspace: '/w',
      isGrantable: false,
    });
  });

  it('says which calls can be granted: those that the classifier denied', () => {
    expect(entries(ROWS).filter(({ isGrantable }) => isGrantable).map(({ call }) => call)).toEqual(['call-2']);
  });

  it.each([
    [{ decision: 'block' as const }, ['call-4', 'call-2']],
    [{ session: 's-1' }, ['call-2', 'call-1']],
    [{ here: true as const }, ['call-2', 'call-1']],
    [{ words: 'PUSH' }, ['call-2']],
    [{ reason: 'rule' }, ['call-1']],
    [{ tool: 'edit' }, []],
    [{ decision: 'block' as const, here: true as const }, ['call-2']],
  ])('is narrowed by %j', (filter, calls) => {
    expect(filtered(entries(ROWS), filter, ['/w']).map(({ call }) => call)).toEqual(calls);
    expect(described(filter)).not.toBe('');
  });
});

describe('the journal as a document', () => {
  it('keeps what agents wrote in code', () => {
    const page = journalPage([row(1, { subject: '`x`\n# [y](command:z)' })], () => 'noon');
    expect(page).toContain('`` `x` # [y](command:z) ``');
  });
});

describe('blocked calls', () => {
  it('stay listed until they are dismissed, over a reload too', () => {
    let kept: readonly string[] = [];
    const memory = { get: () => kept, set: (calls: readonly string[]) => (kept = calls) };
    const blocked = new Blocked(memory, 0);
    blocked.update(ROWS, ['/w', '/other']);
    expect(blocked.all().map(({ call }) => call)).toEqual(['call-4', 'call-2']);
    blocked.dismiss('call-4');
    blocked.update(ROWS, ['/w', '/other']);
    expect(blocked.all().map(({ call }) => call)).toEqual(['call-2']);
    const reloaded = new Blocked(memory, 0);
    reloaded.update(ROWS, ['/w', '/other']);
    expect(reloaded.all().map(({ call }) => call)).toEqual(['call-2']);
    reloaded.dismissAll();
    expect(reloaded.all()).toEqual([]);
  });

  it('are those of the folders that are open', () => {
    const blocked = new Blocked({ get: () => [], set: () => undefined }, 0);
    blocked.update(ROWS, ['/w']);
    expect(blocked.all().map(({ call }) => call)).toEqual(['call-2']);
  });
});
