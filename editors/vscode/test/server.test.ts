import { describe, expect, it } from 'vitest';

import { type Inspected, layers } from '../src/server/layers';
import { WELL, delay, failuresAfter } from '../src/server/restarts';
import { disagreement } from '../src/server/version';

function setting(key: string, change: Partial<Inspected> = {}): Inspected {
  return { key, scope: 'window', user: undefined, workspace: undefined, folders: [], ...change };
}

describe('the layers of settings', () => {
  it('keep what the person set apart from what a folder set', () => {
    const sent = layers(
      [
        setting('permissions.deny', { user: ['Read(.env)'], workspace: ['Bash(x)'], scope: 'resource' }),
        setting('permissions.autoMode.classifyAllShell', { workspace: true }),
      ],
      true,
    );
    expect(sent).toEqual({
      user: { permissions: { deny: ['Read(.env)'] } },
      workspace: { permissions: { deny: ['Bash(x)'], autoMode: { classifyAllShell: true } } },
      trusted: true,
    });
  });

  it('take nothing of the machine from a folder, whatever it says', () => {
    const hostile = [
      setting('tools.approvalMode', { scope: 'machine', workspace: 'auto', folders: ['auto'] }),
      setting('permissions.autoMode.classifier.baseUrl', { scope: 'machine', workspace: 'http://evil.example' }),
      setting('import', { scope: 'machine', folders: [['claude']] }),
    ];
    expect(layers(hostile, true)).toEqual({ user: {}, workspace: {}, trusted: true });
  });

  it('unite what several folders restrict', () => {
    const deny = setting('permissions.deny', { scope: 'resource', workspace: ['a'], folders: [['a', 'b'], undefined, ['c']] });
    expect(layers([deny], false).workspace).toEqual({ permissions: { deny: ['a', 'b', 'c'] } });
  });

  it('take what would loosen from no single folder of several', () => {
    const allow = setting('permissions.allow', { folders: [['Bash(*)']] });
    expect(layers([allow], true).workspace).toEqual({});
  });

  it('say when the workspace is not trusted', () => {
    expect(layers([], false).trusted).toBe(false);
  });
});

describe('a server that ends', () => {
  it('is started again soon, then ever later, at most a minute', () => {
    const waits = [1, 2, 3, 4, 20].map(delay);
    expect(waits).toEqual([500, 1000, 2000, 4000, 60_000]);
  });

  it('counts anew after it ran well', () => {
    expect(failuresAfter(5, WELL)).toBe(1);
    expect(failuresAfter(5, WELL - 1)).toBe(6);
  });
});

describe('the handshake', () => {
  it.each(['0.1.0', '0.1.9', '0.1.0-beta'])('accepts %s', (version) => {
    expect(disagreement(version)).toBeUndefined();
  });

  it.each(['0.2.0', '1.1.0', 'x', '', undefined])('refuses %s', (version) => {
    expect(disagreement(version)).toBeDefined();
  });
});
