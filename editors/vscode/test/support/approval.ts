// Approvals for tests.

import type { Approval } from '../../src/protocol/schemas';

export function approval(id: string, change: Partial<Approval> = {}): Approval {
  return {
    id,
    nonce: `nonce of ${id}`,
    digest: 'd',
    agent: 'claude-code',
    session: 's-1',
    tool: 'run_shell_command',
    cwd: '/w',
    workspace: '/w',
    mode: 'auto',
    reason: 'approval_mode',
    why: 'the approval mode asks for this',
    detail: 'default mode asks',
    text: 'cargo test',
    parts: [],
    effects: ['runs cargo'],
    suggestions: ['Bash(cargo test *)'],
    counters: { consecutiveBlock: 0, consecutiveUnavailable: 0, totalBlock: 0, totalUnavailable: 0 },
    limits: { consecutiveBlock: 3, consecutiveUnavailable: 2, total: 20 },
    askedBefore: 0,
    askedAt: Number(id.replaceAll(/\D/g, '')) || 1,
    deadline: 600_000,
    focus: false,
    ...change,
  };
}
