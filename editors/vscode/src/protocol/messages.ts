// The names of messages and what this client sends with them. The golden files
// in `tests/protocol` are checked against the schemas here too, so that what is
// sent has the shape that the server reads.

import * as v from 'valibot';

import { SessionName } from './schemas';

export const Method = {
  // From the server.
  decision: 'countersign/decision',
  statusChanged: 'countersign/status',
  approvalRequested: 'countersign/approvalRequested',
  approvalResolved: 'countersign/approvalResolved',
  refresh: 'workspace/textDocumentContent/refresh',
  // From agents inside the editor.
  toolCall: 'countersign/toolCall',
  toolResult: 'countersign/toolResult',
  cancelToolCall: 'countersign/cancelToolCall',
  userMessage: 'countersign/userMessage',
  sessionStart: 'countersign/sessionStart',
  sessionEnd: 'countersign/sessionEnd',
  // Acts of a person.
  setMode: 'countersign/setMode',
  resolveApproval: 'countersign/resolveApproval',
  grant: 'countersign/grant',
  resetCounters: 'countersign/resetCounters',
  trust: 'countersign/trust',
  setBaseline: 'countersign/setBaseline',
  consent: 'countersign/consent',
  // Looking.
  pendingApprovals: 'countersign/pendingApprovals',
  status: 'countersign/status',
  sessions: 'countersign/sessions',
  explain: 'countersign/explain',
  journal: 'countersign/journal',
  wholeCall: 'countersign/call',
  content: 'workspace/textDocumentContent',
} as const;

/** Commands of the server. Every client has the same; none answers for a person. */
export const ServerCommand = {
  grant: 'countersign.server.grant',
  explain: 'countersign.server.explain',
  showChange: 'countersign.server.showChange',
  showPending: 'countersign.server.showPending',
  setMode: 'countersign.server.setMode',
  resetCounters: 'countersign.server.resetCounters',
  trust: 'countersign.server.trust',
  setBaseline: 'countersign.server.setBaseline',
  consent: 'countersign.server.consent',
} as const;

/** Error codes of the server. */
export const ErrorCode = {
  notFound: -31001,
  tooSoon: -31002,
  changed: -31003,
  refused: -31004,
  notDeclared: -31005,
} as const;

/** From the strictest to the loosest. */
export const MODES = ['plan', 'default', 'auto-edit', 'auto', 'yolo'] as const;
export const Mode = v.picklist(MODES);
export type Mode = v.InferOutput<typeof Mode>;

export const RememberScope = v.picklist(['session', 'project', 'user']);
export type RememberScope = v.InferOutput<typeof RememberScope>;

export const Choice = v.picklist(['deny', 'approve', 'remember', 'approve_and_switch_to_default', 'dismiss']);
export type Choice = v.InferOutput<typeof Choice>;

const text = v.string();
const call = { ...SessionName.entries, callId: text };

/** Sent parameters by method. */
export const Sent = {
  [Method.toolCall]: v.strictObject({
    ...call,
    cwd: text,
    tool: text,
    input: v.exactOptional(v.unknown()),
    planMode: v.exactOptional(v.boolean()),
    timeoutMs: v.exactOptional(v.number()),
  }),
  [Method.toolResult]: v.strictObject({
    ...call,
    cwd: text,
    tool: text,
    input: v.exactOptional(v.unknown()),
    planMode: v.exactOptional(v.boolean()),
    timeoutMs: v.exactOptional(v.number()),
    failed: v.exactOptional(v.boolean()),
  }),
  [Method.cancelToolCall]: v.strictObject(call),
  [Method.userMessage]: v.strictObject({ ...SessionName.entries, cwd: text, text: v.exactOptional(text) }),
  [Method.sessionStart]: v.strictObject({ ...SessionName.entries, cwd: text }),
  [Method.sessionEnd]: v.strictObject({ ...SessionName.entries, cwd: text }),
  [Method.setMode]: v.strictObject({
    mode: Mode,
    session: v.exactOptional(SessionName),
    acknowledged: v.exactOptional(v.boolean()),
    confirmed: v.exactOptional(v.boolean()),
  }),
  [Method.resolveApproval]: v.strictObject({
    id: text,
    nonce: text,
    choice: Choice,
    message: v.exactOptional(text),
    rules: v.exactOptional(v.array(text)),
    scope: v.exactOptional(RememberScope),
  }),
  [Method.grant]: v.strictObject({ id: text }),
  [Method.resetCounters]: v.strictObject({ session: v.exactOptional(SessionName) }),
  [Method.trust]: v.strictObject({ folder: text, trusted: v.boolean() }),
  [Method.setBaseline]: v.strictObject({ folder: text, commit: text, workTree: v.exactOptional(v.boolean()) }),
  [Method.consent]: v.strictObject({ folder: text, digest: text, what: v.picklist(['loosening', 'removal']) }),
  [Method.explain]: v.strictObject({ id: text }),
  [Method.wholeCall]: v.strictObject({ id: text }),
  [Method.journal]: v.strictObject({
    session: v.exactOptional(text),
    decision: v.exactOptional(text),
    limit: v.exactOptional(v.number()),
  }),
  [Method.content]: v.strictObject({ uri: text }),
} as const;

export type SetMode = v.InferOutput<(typeof Sent)[typeof Method.setMode]>;
export type ResolveApproval = v.InferOutput<(typeof Sent)[typeof Method.resolveApproval]>;
export type SetBaseline = v.InferOutput<(typeof Sent)[typeof Method.setBaseline]>;
export type Consent = v.InferOutput<(typeof Sent)[typeof Method.consent]>;
export type JournalFilter = v.InferOutput<(typeof Sent)[typeof Method.journal]>;
export type ToolCall = v.InferOutput<(typeof Sent)[typeof Method.toolCall]>;
export type ToolResult = v.InferOutput<(typeof Sent)[typeof Method.toolResult]>;
export type SessionEvent = v.InferOutput<(typeof Sent)[typeof Method.userMessage]>;

/** Whether `mode` asks less than `than`; unknown modes count as the strictest to leave. */
export function loosens(mode: Mode, than: string): boolean {
  return MODES.indexOf(mode) > MODES.findIndex((one) => one === than);
}
