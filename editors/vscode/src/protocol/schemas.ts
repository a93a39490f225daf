// What the server sends, decoded at the boundary: nothing is believed before
// its schema accepted it. Mirrors `server/lsp/src/protocol.rs`; the golden files
// in `tests/protocol` hold both together. Unknown fields are dropped.

import * as v from 'valibot';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Milliseconds since 1970. */
const time = v.pipe(v.number(), v.integer());

export const SessionName = v.object({ agent: text, session: text, subagent: v.exactOptional(text) });
export type SessionName = v.InferOutput<typeof SessionName>;

export const Counters = v.object({
  consecutiveBlock: count,
  consecutiveUnavailable: count,
  totalBlock: count,
  totalUnavailable: count,
});
export type Counters = v.InferOutput<typeof Counters>;

export const Limits = v.object({ consecutiveBlock: count, consecutiveUnavailable: count, total: count });
export type Limits = v.InferOutput<typeof Limits>;

export const ModelStage = v.object({
  stage: text,
  verdict: text,
  millis: count,
  attempts: count,
  requestId: v.exactOptional(text),
  messageId: v.exactOptional(text),
  inputTokens: v.exactOptional(count),
  cachedTokens: v.exactOptional(count),
  outputTokens: v.exactOptional(count),
});

export const Model = v.object({
  stage: v.exactOptional(text),
  model: v.exactOptional(text),
  requestId: v.exactOptional(text),
  messageId: v.exactOptional(text),
  provider: v.exactOptional(text),
  stages: v.exactOptional(v.array(ModelStage)),
  problem: v.exactOptional(text),
});
export type Model = v.InferOutput<typeof Model>;

export const Part = v.object({ text, fine: v.boolean(), why: text });
export type Part = v.InferOutput<typeof Part>;

/** A part of an approval's text that causes an effect; UTF-16 code units. */
export const Mark = v.object({ start: count, end: count, effect: v.exactOptional(count), asks: v.boolean() });
export type Mark = v.InferOutput<typeof Mark>;

export const Approval = v.object({
  id: text,
  nonce: text,
  digest: text,
  agent: text,
  session: text,
  subagent: v.exactOptional(text),
  tool: text,
  cwd: text,
  workspace: v.exactOptional(text),
  mode: text,
  reason: text,
  why: text,
  detail: text,
  text,
  parts: v.array(Part),
  effects: v.array(text),
  marks: v.exactOptional(v.array(Mark)),
  suggestions: v.array(text),
  capKind: v.exactOptional(text),
  counters: Counters,
  limits: Limits,
  askedBefore: count,
  askedAt: time,
  deadline: time,
  model: v.exactOptional(Model),
  focus: v.boolean(),
});
/** With its nonce: keep it in memory, hand it to nobody. */
export type Approval = v.InferOutput<typeof Approval>;

export const ApprovalResolved = v.object({
  id: text,
  agent: text,
  session: text,
  subagent: v.exactOptional(text),
  answer: text,
  decision: v.exactOptional(text),
});
export type ApprovalResolved = v.InferOutput<typeof ApprovalResolved>;

export const PendingApprovals = v.object({ approvals: v.array(Approval) });

export const ResolveResult = v.object({ decision: text, warning: v.exactOptional(text) });
export type ResolveResult = v.InferOutput<typeof ResolveResult>;

export const Decision = v.object({
  agent: text,
  session: text,
  subagent: v.exactOptional(text),
  callId: text,
  id: v.exactOptional(text),
  decision: v.picklist(['allow', 'block', 'none']),
  reason: text,
  message: text,
  asked: v.exactOptional(text),
  capKind: v.exactOptional(text),
  counters: v.exactOptional(Counters),
  model: v.exactOptional(Model),
});
export type Decision = v.InferOutput<typeof Decision>;

export const Entry = v.object({ key: text, text, place: v.exactOptional(text) });
export type Entry = v.InferOutput<typeof Entry>;

/** What is trusted to execute in a workspace. */
export const Baseline = v.object({
  commit: v.exactOptional(text),
  head: v.exactOptional(text),
  since: time,
  by: text,
});

export const Workspace = v.object({
  folder: text,
  trusted: v.boolean(),
  mode: text,
  pending: v.array(Entry),
  withdrawn: v.array(Entry),
  consentDigest: v.exactOptional(text),
  removed: v.array(Entry),
  removalDigest: v.exactOptional(text),
  problems: count,
  baseline: v.exactOptional(Baseline),
});
export type Workspace = v.InferOutput<typeof Workspace>;

export const Session = v.object({
  ...SessionName.entries,
  uri: text,
  mode: text,
  counters: Counters,
  limits: Limits,
  armed: v.exactOptional(text),
  pending: count,
  workspace: v.exactOptional(text),
  started: time,
  seen: time,
  ended: v.boolean(),
  paused: v.boolean(),
  setAside: v.array(text),
  elsewhere: v.boolean(),
});
export type Session = v.InferOutput<typeof Session>;

export const Sessions = v.object({ sessions: v.array(Session) });

export const LastDecision = v.object({
  id: text,
  ...SessionName.entries,
  tool: text,
  decision: text,
  reason: text,
  time,
});
export type LastDecision = v.InferOutput<typeof LastDecision>;

export const Health = v.picklist(['ok', 'warning', 'error']);
export type Health = v.InferOutput<typeof Health>;

export const Classifier = v.object({
  state: v.picklist(['none', 'ready', 'unavailable']),
  provider: v.exactOptional(text),
  model: v.exactOptional(text),
  lastMillis: v.exactOptional(count),
  problem: v.exactOptional(text),
});
export type Classifier = v.InferOutput<typeof Classifier>;

/** `part` is left open: a newer server may have more of them. */
export const DegradedPart = v.object({ part: text, since: time, why: text });
export type DegradedPart = v.InferOutput<typeof DegradedPart>;

export const Status = v.object({
  health: Health,
  degraded: v.array(text),
  degradedParts: v.exactOptional(v.array(DegradedPart)),
  mode: text,
  autoAcknowledged: v.exactOptional(v.boolean()),
  pending: count,
  workspaces: v.array(Workspace),
  sessions: v.array(Session),
  lastDecision: v.exactOptional(LastDecision),
  classifier: Classifier,
  version: text,
});
export type Status = v.InferOutput<typeof Status>;

export const SetModeResult = v.variant('result', [
  v.object({ result: v.literal('done') }),
  v.object({ result: v.literal('needsNotice'), text, setAside: v.array(text) }),
  v.object({ result: v.literal('needsConfirmation'), text }),
]);
export type SetModeResult = v.InferOutput<typeof SetModeResult>;

export const Explanation = v.object({ markdown: text });

const absent = v.nullish(text);

/** A row of the journal, as far as it is shown here. */
export const JournalRow = v.object({
  seq: count,
  time,
  kind: text,
  key: v.nullish(v.object({ agent: text, session: text, subagent: absent })),
  call: absent,
  tool: absent,
  workspace: absent,
  mode: absent,
  decision: absent,
  reason: absent,
  detail: absent,
  subject: absent,
  before: v.nullish(Counters),
  after: v.nullish(Counters),
  source: absent,
});
export type JournalRow = v.InferOutput<typeof JournalRow>;

export const Journal = v.object({ rows: v.array(JournalRow) });

export const TextDocumentContent = v.object({ text });

export const Refresh = v.object({ uri: text });

/** What a file would be before and after a call, for a diff. */
export const FileChange = v.object({
  path: text,
  kind: v.picklist(['write', 'delete', 'part']),
  before: v.exactOptional(text),
  after: v.exactOptional(text),
});
export type FileChange = v.InferOutput<typeof FileChange>;

/** A call that waits or was denied, as a person must see it. */
export const WholeCall = v.object({
  text,
  grantable: v.boolean(),
  changes: v.array(FileChange),
});
export type WholeCall = v.InferOutput<typeof WholeCall>;

/** What `initialize` answers, as far as the handshake looks at it. */
export const Handshake = v.object({
  capabilities: v.object({
    experimental: v.object({ countersign: v.object({ version: text }) }),
  }),
});

/** The error of a response. */
export const ResponseError = v.object({ code: v.number(), message: text });

/** Null, or nothing. */
export const Nothing = v.nullish(v.null());
