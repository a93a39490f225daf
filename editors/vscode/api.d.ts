/**
 * What Countersign offers to other extensions: an agent inside the editor can
 * ask for decisions and hear of them. Nothing here approves, grants, trusts or
 * sets a mode: those are a person's acts.
 *
 * ```ts
 * const extension = vscode.extensions.getExtension<CountersignApi>('countersign.countersign');
 * const guard = await extension?.activate();
 * const decision = await guard?.requestPermission({
 *   agent: 'generic', session: conversation.id, cwd: folder,
 *   tool: 'run_shell_command', input: { command: 'cargo test' },
 * });
 * if (decision?.decision === 'allow') { ... }
 * ```
 */
import type { CancellationToken, Event } from 'vscode';

/** A session of an agent. */
export interface SessionId {
  /** `generic`, or an agent whose tools the guard knows by its own names: `claude-code`, `qwen`, `codex`, `gemini`. */
  readonly agent: string;
  /** The agent's own id of the conversation. */
  readonly session: string;
  /** The sub-agent, if it is one's. */
  readonly subagent?: string;
}

/** A call that an agent wants to make. */
export interface ToolCall extends SessionId {
  /** The agent's id of the call. Made up if it is left out. */
  readonly callId?: string;
  /** The absolute folder that the call works in. */
  readonly cwd: string;
  /** The tool, by the agent's own name; for `generic` by the canonical one. */
  readonly tool: string;
  /** The tool's input, as JSON; at most 4 MiB. */
  readonly input?: unknown;
  /** Whether the agent is in its own plan mode. */
  readonly planMode?: boolean;
  /** How long an answer is of use, in milliseconds; at most ten minutes, and that if it is left out. */
  readonly timeoutMs?: number;
}

/** Denial counters. */
export interface Counters {
  readonly consecutiveBlock: number;
  readonly consecutiveUnavailable: number;
  readonly totalBlock: number;
  readonly totalUnavailable: number;
}

/** The answer to a call. */
export interface Decision extends SessionId {
  readonly callId: string;
  /** The guard's id of the call, if it has one. */
  readonly id?: string;
  /** Run the tool only on `allow`. On `none` the guard has no opinion: the agent's own dialog stands. */
  readonly decision: 'allow' | 'block' | 'none';
  /** From a closed set, see `docs/protocol.md`. */
  readonly reason: string;
  /** What the agent is to be told. */
  readonly message: string;
  /** Why a person was asked, if so. */
  readonly asked?: string;
  /** `consecutive` or `total`, where a cap forced the asking. */
  readonly capKind?: string;
  readonly counters?: Counters;
}

/** How the guard does. */
export interface GuardState {
  /** Whether calls are decided now. */
  readonly running: boolean;
  /** The mode that new sessions start in; none while it does not run. */
  readonly mode?: string;
  /** How many approvals wait for the person. */
  readonly waiting: number;
}

export interface CountersignApi {
  /** Raised when something here is taken away. */
  readonly version: 1;

  /**
   * Asks whether a call may run. Always resolves, and with a block when the
   * guard does not run or goes away. Cancelling gives the call up.
   */
  requestPermission(call: ToolCall, token?: CancellationToken): Promise<Decision>;

  /** Says that a tool ran, or failed. */
  reportResult(call: ToolCall & { readonly callId: string }, result: { readonly failed: boolean }): void;

  /** Says that a person's message reached the agent. */
  reportUserMessage(session: SessionId, cwd: string, text: string): void;

  reportSessionStart(session: SessionId, cwd: string): void;
  reportSessionEnd(session: SessionId, cwd: string): void;

  readonly state: GuardState;
  readonly onDidChangeState: Event<GuardState>;

  /** Every decision on a call that was asked for through this interface. */
  readonly onDidDecide: Event<Decision>;
}
