// A coding agent as Countersign sees it: one process that calls the hook
// before it uses a tool.

import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { expect } from '@playwright/test';

import { installed } from './installed.ts';
import { environment, type Folders } from './server.ts';

const PROCESS = join(__dirname, 'agent-process.mjs');

/** How a hook ended. */
interface Outcome {
  number: number;
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** A hook that was called, and its answer once it has one. */
export class Hook {
  constructor(
    private readonly outcomes: Map<number, Outcome>,
    private readonly number: number,
    private readonly kill: () => void,
  ) {}

  /** The call may run: the answer that the agent takes for a yes. */
  async allows(): Promise<void> {
    const outcome = await this.ends();
    expect(outcome, 'a hook that allows').toMatchObject({ code: 0, signal: null });
    const answer: unknown = JSON.parse(outcome.stdout);
    expect(answer).toMatchObject({ hookSpecificOutput: { permissionDecision: 'allow' } });
  }

  /**
   * The call is blocked: the one exit status that the agent honours, a reason
   * for the model, and nothing that could be read as an answer.
   */
  async blocks(): Promise<string> {
    const outcome = await this.ends();
    expect(outcome, 'a hook that blocks').toMatchObject({ code: 2, signal: null, stdout: '' });
    expect(outcome.stderr.trim()).not.toBe('');
    return outcome.stderr;
  }

  /** Whether the call may run, whichever it is. */
  async isAllowed(): Promise<boolean> {
    const { code } = await this.ends();
    await (code === 0 ? this.allows() : this.blocks());
    return code === 0;
  }

  /** No answer was given so far. */
  waits(): void {
    expect(this.outcomes.get(this.number), 'a hook that waits').toBeUndefined();
  }

  /** Somebody ends the hook before it has an answer. */
  isKilled(): void {
    this.kill();
  }

  private async ends(): Promise<Outcome> {
    const outcome = () => this.outcomes.get(this.number);
    await expect.poll(outcome, { message: 'the hook ends', timeout: 60_000 }).toBeDefined();
    return outcome() as Outcome;
  }
}

/** The agent. */
export class Agent {
  readonly session = randomUUID();
  private readonly outcomes = new Map<number, Outcome>();
  private readonly process: ChildProcess;
  private calls = 0;
  private hooks = 0;

  constructor(private readonly folders: Folders) {
    this.process = fork(PROCESS, { stdio: 'inherit', cwd: '/', env: environment(folders) });
    this.process.on('message', (outcome: Outcome) => this.outcomes.set(outcome.number, outcome));
  }

  stop(): void {
    this.process.disconnect();
  }

  /** Wants to run a command; the hook waits in the background. */
  runs(command: string, timeout = 120): Hook {
    return this.callsTool('Bash', { command, description: 'a command' }, timeout);
  }

  /** Wants to change a file. */
  edits(file: string, before: string, after: string): Hook {
    return this.callsTool('Edit', { file_path: file, old_string: before, new_string: after });
  }

  /** Wants to write a file. */
  writes(file: string, content: string): Hook {
    return this.callsTool('Write', { file_path: file, content });
  }

  /** What the agent says before it uses a tool. `timeout` is in seconds. */
  callsTool(tool: string, input: object, timeout = 120): Hook {
    this.calls += 1;
    return this.hook('PreToolUse', timeout, {
      permission_mode: 'default',
      tool_name: tool,
      tool_input: input,
      tool_use_id: `toolu_${String(this.calls).padStart(16, '0')}`,
    });
  }

  private hook(event: string, timeout: number, more: object): Hook {
    this.hooks += 1;
    const number = this.hooks;
    const payload = {
      session_id: this.session,
      transcript_path: `${this.folders.workspace}/transcript.jsonl`,
      cwd: this.folders.workspace,
      hook_event_name: event,
      ...more,
    };
    this.process.send({
      number,
      program: installed.countersign,
      words: ['hook', 'claude-code', '--event', event, '--timeout', String(timeout)],
      input: JSON.stringify(payload),
      cwd: this.folders.workspace,
    });
    return new Hook(this.outcomes, number, () => this.process.send({ kill: number }));
  }
}
