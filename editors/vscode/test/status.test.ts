import * as fs from 'node:fs';
import * as path from 'node:path';

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { Status } from '../src/protocol/schemas';
import { type ServerState, against, statusText, tooltip } from '../src/status/text';

const FILE = path.resolve(import.meta.dirname, '../../../tests/protocol/requests/countersign-status/result.json');
const WHOLE: Status = v.parse(Status, JSON.parse(fs.readFileSync(FILE, 'utf8')));
const WELL: Status = { ...WHOLE, health: 'ok', degraded: [], degradedParts: [] };
const RUNNING: ServerState = { kind: 'running', version: '0.1.0', file: '/x' };
const COMMANDS = {
  focusApproval: 'c.focus',
  chooseMode: 'c.mode',
  showSessions: 'c.sessions',
  showJournal: 'c.journal',
  showLog: 'c.log',
  restartServer: 'c.restart',
};

function never(): never {
  throw new Error('the golden status has no session');
}

describe('the status bar', () => {
  it('shows the mode, and the denials against their caps', () => {
    const { text, background } = statusText({ server: RUNNING, status: WELL, waiting: 0 });
    expect(text).toContain('auto  3/3 · 5/20');
    expect(background).toBe('none');
  });

  it('warns while something waits', () => {
    const { text, background, spoken } = statusText({ server: RUNNING, status: WELL, waiting: 2 });
    expect(background).toBe('warning');
    expect(text).toContain('2');
    expect(spoken).toContain('2 approvals wait');
  });

  it('is an error where the guard is degraded, though something waits', () => {
    expect(statusText({ server: RUNNING, status: WHOLE, waiting: 1 }).background).toBe('error');
  });

  it('is no error for a guard of tests, which says so by its icon', () => {
    const parts = [{ part: 'guard', since: 0, why: 'its folders are below /tmp/x' }];
    const status: Status = { ...WELL, health: 'warning', degraded: ['its folders are below /tmp/x'], degradedParts: parts };
    const [session] = status.sessions;
    const { armed: _, ...calm } = session ?? never();
    const shown = statusText({ server: RUNNING, status: { ...status, sessions: [calm] }, waiting: 0 });
    expect(shown.background).toBe('none');
    expect(shown.text).toContain('$(beaker)');
    const more: Status = { ...status, degradedParts: [...parts, { part: 'journal', since: 0, why: 'full' }] };
    expect(statusText({ server: RUNNING, status: more, waiting: 0 }).background).toBe('error');
    expect(statusText({ server: RUNNING, status: { ...status, health: 'error' }, waiting: 0 }).background).toBe('error');
  });

  it.each([
    { kind: 'down', problem: 'x' },
    { kind: 'waiting', problem: 'x', seconds: 4 },
  ] as const)('is an error while the guard is $kind', (server) => {
    const { text, background } = statusText({ server, status: undefined, waiting: 0 });
    expect(background).toBe('error');
    expect(text).toContain('down');
  });

  it('shows missing answers in a row where they are nearer to their cap', () => {
    const counters = { consecutiveBlock: 1, consecutiveUnavailable: 1, totalBlock: 1, totalUnavailable: 1 };
    expect(against(counters, { consecutiveBlock: 3, consecutiveUnavailable: 2, total: 20 })).toBe('1/2 · 2/20');
  });
});

describe('the tooltip', () => {
  const text = (status: Status): string => tooltip({ server: RUNNING, status, waiting: 1 }, COMMANDS, () => 'noon');

  it('has sessions with both kinds of denials, the classifier, the last decision and links', () => {
    const shown = text(WHOLE);
    expect(shown).toContain('| 3/3 in a row, 4 in all | 0/2 in a row, 1 in all | 5/20 |');
    expect(shown).toContain('judge-1');
    expect(shown).toContain('Last decision: `run_shell_command`');
    expect(shown).toContain('command:c.focus');
  });

  it('gives what agents named no meaning', () => {
    const [session] = WHOLE.sessions;
    const evil = { ...(session ?? never()), session: 'x|` [run](command:evil)', mode: '[m](command:evil)' };
    const shown = text({ ...WHOLE, sessions: [evil] });
    const row = shown.split('\n').find((line) => line.includes('evil')) ?? '';
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(7);
    expect(row).toContain('``claude-code x\\|` [run](command:evil)``');
    expect(row).not.toContain('[m](command:evil)');
  });
});
