// What a prompt shows, as data that the web view only draws. No nonce is in it:
// what the web view sends back names the showing, and the answer is made from
// what is kept in the extension.

import type { Approval, Counters, Limits, Mark } from '../protocol/schemas';
import { pieces } from '../text/visible';

/** A run of the text that is drawn alike. */
export interface Segment {
  readonly text: string;
  /** It stands for a character that cannot be seen. */
  readonly escape?: true;
  /** It causes an effect. */
  readonly mark?: true;
  /** It is why the call is asked about. */
  readonly asks?: true;
  /** The effects that it causes, counted from 1 as they are numbered. */
  readonly effects?: readonly number[];
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface Effect {
  readonly text: string;
  /** A marked part that asks causes it. */
  readonly asks: boolean;
}

/** Scopes that a rule can be remembered in, the narrowest first. */
export interface ScopeOffer {
  readonly value: 'session' | 'project' | 'user';
  readonly label: string;
}

/** Everything that one showing of a prompt needs. */
export interface PromptDocument {
  /** Names this showing; an answer carries it. */
  readonly ticket: string;
  readonly title: string;
  /** Why a person is asked, in a sentence. */
  readonly why: string;
  readonly detail: string;
  readonly position?: { readonly number: number; readonly of: number };
  readonly textLabel: string;
  readonly text: readonly Segment[];
  readonly effects: readonly Effect[];
  readonly parts: readonly { readonly text: string; readonly fine: boolean; readonly why: string }[];
  readonly facts: readonly Fact[];
  /** What a rule may be remembered as; empty if nothing may. */
  readonly rules: readonly string[];
  readonly scopes: readonly ScopeOffer[];
  /** Milliseconds until nobody can answer any more. */
  readonly remaining?: number;
  readonly noLabel: string;
  readonly yesLabel: string;
  readonly offersMessage: boolean;
  readonly offersSwitch: boolean;
  readonly offersChange: boolean;
  readonly offersExplanation: boolean;
  /** What happened to the one that was shown before, in a sentence. */
  readonly notice?: string;
}

/** Tools that change files that they name. */
const CHANGING = new Set(['edit', 'write_file', 'notebook_edit', 'multi_edit', 'replace']);

/** What the tools that everybody meets do, as a person would say it. */
const DOINGS: readonly (readonly [tool: string, doing: string])[] = [
  ['run_shell_command', 'run a command'],
  ['edit', 'edit a file'],
  ['write_file', 'write a file'],
  ['notebook_edit', 'change a notebook'],
  ['read_file', 'read a file'],
  ['web_fetch', 'fetch from the web'],
  ['agent', 'start a sub-agent'],
];

/** What an agent wants to do, in a few words. */
export function doing(tool: string): string {
  return DOINGS.find(([name]) => name === tool)?.[1] ?? `use ${tool}`;
}

export function changesFiles(tool: string): boolean {
  return CHANGING.has(tool);
}

/** The text in runs; marks are in UTF-16 code units of the text as it came. */
export function segments(text: string, marks: readonly Mark[]): Segment[] {
  const sound = marks.filter(({ start, end }) => start < end && end <= text.length);
  const edges = new Set([0, text.length]);
  for (const { start, end } of sound) {
    edges.add(start);
    edges.add(end);
  }
  const sorted = [...edges].sort((one, other) => one - other);
  return sorted.slice(0, -1).flatMap((start, index) => {
    const end = sorted[index + 1] ?? text.length;
    const here = sound.filter((mark) => mark.start <= start && end <= mark.end);
    const effects = [...new Set(here.flatMap(({ effect }) => (effect === undefined ? [] : [effect + 1])))];
    return pieces(text.slice(start, end)).map(
      (piece): Segment => ({
        text: piece.text,
        ...(piece.escape && { escape: true as const }),
        ...(here.length > 0 && { mark: true as const }),
        ...(here.some(({ asks }) => asks) && { asks: true as const }),
        ...(effects.length > 0 && { effects }),
      }),
    );
  });
}

/** `2 of 3 in a row, 7 of 20 in the session`, with what they are. */
export function counted(counters: Counters, limits: Limits): string {
  const total = counters.totalBlock + counters.totalUnavailable;
  return [
    `${counters.consecutiveBlock} of ${limits.consecutiveBlock} blocks in a row`,
    `${counters.consecutiveUnavailable} of ${limits.consecutiveUnavailable} missing answers in a row`,
    `${total} of ${limits.total} in the session`,
  ].join(', ');
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

function facts(approval: Approval): Fact[] {
  const { agent, session, subagent, cwd, workspace, mode, model, askedBefore } = approval;
  const found: Fact[] = [
    { label: 'Agent', value: subagent === undefined ? agent : `${agent}, sub-agent ${subagent}` },
    { label: 'Session', value: session },
    { label: 'In', value: cwd },
  ];
  if (workspace !== undefined && workspace !== cwd) {
    found.push({ label: 'Workspace', value: workspace });
  }
  found.push({ label: 'Mode', value: mode });
  found.push({ label: 'Denials', value: counted(approval.counters, approval.limits) });
  if (model !== undefined) {
    const name = model.model ?? 'a model';
    const said = (model.stages ?? []).map(({ stage, verdict }) => `${stage}: ${verdict}`).join(', ');
    found.push({ label: 'Model', value: [name, said, model.problem].filter(Boolean).join(' · ') });
  }
  if (askedBefore > 0) {
    found.push({ label: 'Asked', value: `${times(askedBefore)} before in this session` });
  }
  return found;
}

export interface Showing {
  readonly ticket: string;
  readonly number: number;
  readonly of: number;
  readonly now: number;
  readonly notice?: string;
}

/** The prompt of an approval. */
export function approvalDocument(approval: Approval, showing: Showing): PromptDocument {
  const marks = approval.marks ?? [];
  const asking = new Set(marks.flatMap(({ asks, effect }) => (asks && effect !== undefined ? [effect] : [])));
  const scopes: ScopeOffer[] = [{ value: 'session', label: 'this session' }];
  if (approval.workspace !== undefined) {
    scopes.push({ value: 'project', label: 'this project, for everybody who uses its settings' });
  }
  scopes.push({ value: 'user', label: 'you, in every project' });
  const { ticket, number, of, now, notice } = showing;
  return {
    ticket,
    title: `${approval.agent} wants to ${doing(approval.tool)}`,
    why: approval.why,
    detail: approval.detail,
    ...(of > 1 && { position: { number, of } }),
    textLabel: 'The whole call, as it would run',
    text: segments(approval.text, marks),
    effects: approval.effects.map((text, index) => ({ text, asks: asking.has(index) })),
    parts: approval.parts.length > 1 ? approval.parts : [],
    facts: facts(approval),
    rules: approval.suggestions,
    scopes,
    remaining: Math.max(0, approval.deadline - now),
    noLabel: 'Deny',
    yesLabel: 'Approve Once',
    offersMessage: true,
    offersSwitch: approval.mode !== 'default' && approval.mode !== 'plan',
    offersChange: changesFiles(approval.tool),
    offersExplanation: true,
    ...(notice !== undefined && { notice }),
  };
}

/** A question that is no approval: a mode, a grant, trust, consent. */
export interface Question {
  readonly title: string;
  readonly why: string;
  readonly detail?: string;
  /** What is agreed to, whole. */
  readonly text: string;
  readonly textLabel: string;
  readonly facts?: readonly Fact[];
  readonly noLabel?: string;
  readonly yesLabel: string;
}

/** The prompt of a question. */
export function questionDocument(question: Question, ticket: string): PromptDocument {
  return {
    ticket,
    title: question.title,
    why: question.why,
    detail: question.detail ?? '',
    textLabel: question.textLabel,
    text: segments(question.text, []),
    effects: [],
    parts: [],
    facts: question.facts ?? [],
    rules: [],
    scopes: [],
    noLabel: question.noLabel ?? 'No',
    yesLabel: question.yesLabel,
    offersMessage: false,
    offersSwitch: false,
    offersChange: false,
    offersExplanation: false,
  };
}
