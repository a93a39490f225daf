// What other extensions get. It is made of plain data and frozen: nothing that
// it hands out leads to the language client, to a nonce or to a person's act.

import { randomUUID } from 'node:crypto';

import * as vscode from 'vscode';

import type { CountersignApi, Decision, GuardState, SessionId, ToolCall } from '../api';
import type { Guard } from './guard';
import { decode, messageOf } from './protocol/decode';
import { Method, Sent } from './protocol/messages';
import type * as schemas from './protocol/schemas';

/** A longer wait than the server's longest deadline, so that its answer comes first. In milliseconds. */
const LONGEST = 11 * 60_000;

interface Waiter {
  readonly answer: (decision: Decision) => void;
}

function keyOf({ agent, session, subagent }: SessionId, callId: string): string {
  return JSON.stringify([agent, session, subagent ?? null, callId]);
}

/** Only what is said to be there, as values of its own. */
function sessionOf({ agent, session, subagent }: SessionId): SessionId {
  return subagent === undefined ? { agent, session } : { agent, session, subagent };
}

function blocked(call: ToolCall, callId: string, reason: string, message: string): Decision {
  return Object.freeze({ ...sessionOf(call), callId, decision: 'block' as const, reason, message });
}

function published({ model: _model, ...decision }: schemas.Decision): Decision {
  return Object.freeze(decision);
}

/** Makes the interface; what it registers ends with the context. */
export function createApi(guard: Guard, context: vscode.ExtensionContext): CountersignApi {
  const waiters = new Map<string, Waiter>();
  const decided = new vscode.EventEmitter<Decision>();
  const changed = new vscode.EventEmitter<GuardState>();

  const state = (): GuardState => {
    const mode = guard.status?.mode;
    return Object.freeze({
      running: guard.server.kind === 'running',
      waiting: guard.approvals.count,
      ...(mode !== undefined && { mode }),
    });
  };
  let last = JSON.stringify(state());
  const tell = (): void => {
    const now = JSON.stringify(state());
    if (now !== last) {
      last = now;
      changed.fire(state());
    }
  };
  const finish = (key: string, decision: Decision): void => {
    const waiter = waiters.get(key);
    if (waiter !== undefined) {
      waiters.delete(key);
      waiter.answer(decision);
      decided.fire(decision);
    }
  };

  context.subscriptions.push(
    decided,
    changed,
    guard.onDidChange(tell),
    guard.approvals.onDidChange(tell),
    guard.onDidDecide((decision) => {
      finish(keyOf(decision, decision.callId), published(decision));
    }),
  );

  const requestPermission = (call: ToolCall, token?: vscode.CancellationToken): Promise<Decision> =>
    new Promise((resolve) => {
      const callId = call.callId ?? randomUUID();
      const refuse = (reason: string, message: string): void => {
        resolve(blocked(call, callId, reason, message));
      };
      let params: unknown;
      try {
        const { planMode, timeoutMs } = call;
        // A copy of what is JSON in it, so that nothing of the caller's is kept.
        const input: unknown = call.input === undefined ? null : JSON.parse(JSON.stringify(call.input));
        params = decode(Method.toolCall, Sent[Method.toolCall], {
          ...sessionOf(call),
          callId,
          cwd: call.cwd,
          tool: call.tool,
          input,
          ...(planMode !== undefined && { planMode }),
          ...(timeoutMs !== undefined && { timeoutMs }),
        });
      } catch (error) {
        refuse('invalid_call', messageOf(error));
        return;
      }
      const key = keyOf(call, callId);
      if (!guard.isRunning) {
        refuse('no_surface', 'The guard is not running in this editor, so nothing is allowed.');
        return;
      }
      if (waiters.has(key)) {
        refuse('invalid_call', `A call with the id ${callId} waits for an answer already.`);
        return;
      }
      if (token?.isCancellationRequested === true) {
        refuse('person', 'The call was given up.');
        return;
      }
      const ends: { dispose(): void }[] = [];
      waiters.set(key, {
        answer: (decision) => {
          vscode.Disposable.from(...ends).dispose();
          resolve(decision);
        },
      });
      const timer = setTimeout(() => {
        finish(key, blocked(call, callId, 'timeout', 'The guard did not answer.'));
      }, LONGEST);
      ends.push({ dispose: () => { clearTimeout(timer); } });
      ends.push(
        guard.onDidLose(() => {
          finish(key, blocked(call, callId, 'no_surface', 'The guard ended before it answered.'));
        }),
      );
      if (token !== undefined) {
        ends.push(
          token.onCancellationRequested(() => {
            // The server answers with a block, and closes what asks the person.
            guard.notify(Method.cancelToolCall, { ...sessionOf(call), callId });
          }),
        );
      }
      guard.notify(Method.toolCall, params);
    });

  const event = (method: typeof Method.userMessage | typeof Method.sessionStart | typeof Method.sessionEnd) =>
    (session: SessionId, cwd: string, text?: string): void => {
      const params = { ...sessionOf(session), cwd, ...(text !== undefined && { text }) };
      guard.notify(method, decode(method, Sent[method], params));
    };

  return Object.freeze<CountersignApi>({
    version: 1,
    requestPermission,
    reportResult: (call, { failed }) => {
      const { planMode } = call;
      const params = {
        ...sessionOf(call),
        callId: call.callId,
        cwd: call.cwd,
        tool: call.tool,
        input: call.input === undefined ? null : call.input,
        ...(planMode !== undefined && { planMode }),
        failed,
      };
      guard.notify(Method.toolResult, decode(Method.toolResult, Sent[Method.toolResult], params));
    },
    reportUserMessage: event(Method.userMessage),
    reportSessionStart: event(Method.sessionStart),
    reportSessionEnd: event(Method.sessionEnd),
    get state() {
      return state();
    },
    onDidChangeState: changed.event,
    onDidDecide: decided.event,
  });
}
