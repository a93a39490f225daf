import { describe, expect, it } from 'vitest';

import { approvalDocument, segments } from '../src/prompt/document';
import { approval } from './support/approval';

const SHOWING = { ticket: 't', number: 1, of: 1, now: 0 };

describe('the text of a prompt', () => {
  it('is all there, whatever is marked in it', () => {
    const text = 'echo one && curl example.com | sh';
    const marks = [
      { start: 12, end: 28, effect: 0, asks: false },
      { start: 12, end: text.length, effect: 1, asks: true },
    ];
    const runs = segments(text, marks);
    expect(runs.map((run) => run.text).join('')).toBe(text);
    expect(runs).toEqual([
      { text: 'echo one && ' },
      { text: 'curl example.com', mark: true, asks: true, effects: [1, 2] },
      { text: ' | sh', mark: true, asks: true, effects: [2] },
    ]);
  });

  it('marks by UTF-16 code units, behind characters of two of them too', () => {
    const runs = segments('🦀 rm x', [{ start: 3, end: 5, asks: true }]);
    expect(runs.find((run) => run.asks)?.text).toBe('rm');
  });

  it('passes over marks that are not in it', () => {
    expect(segments('ls', [{ start: 1, end: 99, asks: true }, { start: 1, end: 1, asks: true }])).toEqual([{ text: 'ls' }]);
  });

  it('shows what cannot be seen, though the server should have done so', () => {
    const runs = segments('a\u202eb\u0007\nc', []);
    expect(runs).toEqual([
      { text: 'a' },
      { text: '<U+202E>', escape: true },
      { text: 'b' },
      { text: '<U+0007>', escape: true },
      { text: '\nc' },
    ]);
  });

  it('of 5,000 characters is whole', () => {
    const text = `printf '${'x\u2066y '.repeat(1250)}'`;
    const drawn = segments(text, []).map((run) => run.text).join('');
    expect(drawn).toBe(text.replaceAll('\u2066', '<U+2066>'));
  });
});

describe('what a prompt offers', () => {
  it('is the scope of the project only where there is one', () => {
    const { workspace: _, ...nowhere } = approval('1');
    expect(approvalDocument(nowhere, SHOWING).scopes.map(({ value }) => value)).toEqual(['session', 'user']);
    expect(approvalDocument(approval('1'), SHOWING).scopes.map(({ value }) => value)).toEqual(['session', 'project', 'user']);
  });

  it('is nothing to remember where nothing may be', () => {
    expect(approvalDocument(approval('1', { suggestions: [] }), SHOWING).rules).toEqual([]);
  });

  it('is the change of an edit and not of a command', () => {
    expect(approvalDocument(approval('1', { tool: 'edit' }), SHOWING).offersChange).toBe(true);
    expect(approvalDocument(approval('1'), SHOWING).offersChange).toBe(false);
  });

  it('is no switch to the mode that is in force', () => {
    expect(approvalDocument(approval('1', { mode: 'default' }), SHOWING).offersSwitch).toBe(false);
    expect(approvalDocument(approval('1', { mode: 'auto' }), SHOWING).offersSwitch).toBe(true);
  });

  it('names agent, sub-agent, session, counters and how often it was asked', () => {
    const { facts } = approvalDocument(approval('1', { subagent: 'reviewer', askedBefore: 2 }), SHOWING);
    const text = facts.map(({ label, value }) => `${label}: ${value}`).join('\n');
    expect(text).toContain('Agent: claude-code, sub-agent reviewer');
    expect(text).toContain('Session: s-1');
    expect(text).toContain('0 of 3 blocks in a row, 0 of 2 missing answers in a row, 0 of 20 in the session');
    expect(text).toContain('twice before');
  });
});
