// What the status bar says, as pure functions of the server's status.

import type { Counters, Limits, Session, Status } from '../protocol/schemas';
import { code, plain } from '../text/visible';

/** How the server's process does. */
export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly version: string; readonly file: string }
  | { readonly kind: 'waiting'; readonly problem: string; readonly seconds: number }
  | { readonly kind: 'down'; readonly problem: string };

export interface StatusInput {
  readonly server: ServerState;
  /** None before the server sent it, and none of a server that is gone. */
  readonly status: Status | undefined;
  /** Approvals that wait here. */
  readonly waiting: number;
}

export interface StatusText {
  readonly text: string;
  readonly background: 'none' | 'warning' | 'error';
  /** For screen readers. */
  readonly spoken: string;
}

/** The session that a glance is about: the one seen last that goes on. */
export function foremost(sessions: readonly Session[]): Session | undefined {
  const live = sessions.filter(({ ended }) => !ended);
  return live.find(({ elsewhere }) => !elsewhere) ?? live[0];
}

/** `2/3 · 7/20`: in a row, of whatever is nearer to its cap, and in all. */
export function against(counters: Counters, limits: Limits): string {
  const { consecutiveBlock, consecutiveUnavailable, totalBlock, totalUnavailable } = counters;
  const blocked = consecutiveBlock / Math.max(1, limits.consecutiveBlock);
  const unavailable = consecutiveUnavailable / Math.max(1, limits.consecutiveUnavailable);
  const row =
    unavailable > blocked
      ? `${consecutiveUnavailable}/${limits.consecutiveUnavailable}`
      : `${consecutiveBlock}/${limits.consecutiveBlock}`;
  return `${row} · ${totalBlock + totalUnavailable}/${limits.total}`;
}

export function statusText({ server, status, waiting }: StatusInput): StatusText {
  switch (server.kind) {
    case 'starting':
      return { text: '$(shield) starting', background: 'none', spoken: 'Countersign is starting' };
    case 'waiting':
      return {
        text: `$(error) guard down, again in ${server.seconds} s`,
        background: 'error',
        spoken: 'Countersign: the guard is down and starts again',
      };
    case 'down':
      return { text: '$(error) guard down', background: 'error', spoken: 'Countersign: the guard is down' };
    case 'running':
      break;
  }
  if (status === undefined) {
    return { text: '$(shield) starting', background: 'none', spoken: 'Countersign is starting' };
  }
  const session = foremost(status.sessions);
  const mode = session?.mode ?? status.mode;
  const counters = session === undefined ? '' : `  ${against(session.counters, session.limits)}`;
  const bell = waiting > 0 ? `  $(bell-dot) ${waiting}` : '';
  const isWell = !isDegraded(status);
  const icon = !isWell ? '$(error)' : session?.armed !== undefined ? '$(warning)' : isForTests(status) ? '$(beaker)' : '$(shield)';
  const spoken = [
    `Countersign: ${mode} mode`,
    session === undefined ? '' : `denials ${against(session.counters, session.limits).replaceAll('/', ' of ')}`,
    waiting === 1 ? 'one approval waits' : waiting > 1 ? `${waiting} approvals wait` : '',
    isWell ? '' : 'the guard is degraded',
  ];
  return {
    text: `${icon} ${mode}${counters}${bell}`,
    background: isWell ? (waiting > 0 ? 'warning' : 'none') : 'error',
    spoken: spoken.filter(Boolean).join(', '),
  };
}

/** It guards, over folders that somebody named for tests: the only thing that is wrong with a guard that guards. */
function isForTests({ health, degradedParts = [] }: Status): boolean {
  return health !== 'error' && degradedParts.some(({ part }) => part === 'guard');
}

/** Whether it guards less well than it should. */
function isDegraded(status: Status): boolean {
  const { health, degraded, degradedParts = [] } = status;
  if (health === 'error' || degradedParts.length === 0) {
    return health === 'error' || degraded.length > 0;
  }
  return degradedParts.some(({ part }) => part !== 'guard');
}

/** Commands that the tooltip links to; nothing else in it can run. */
export interface TooltipCommands {
  readonly focusApproval: string;
  readonly chooseMode: string;
  readonly showSessions: string;
  readonly showJournal: string;
  readonly showLog: string;
  readonly restartServer: string;
}

const SESSIONS = 6;

function row({ agent, session, subagent, mode, counters, limits, pending, armed, elsewhere, paused }: Session): string {
  const who = subagent === undefined ? `${agent} ${session}` : `${agent} ${session} / ${subagent}`;
  const blocks = `${counters.consecutiveBlock}/${limits.consecutiveBlock} in a row, ${counters.totalBlock} in all`;
  const silent = `${counters.consecutiveUnavailable}/${limits.consecutiveUnavailable} in a row, ${counters.totalUnavailable} in all`;
  const total = `${counters.totalBlock + counters.totalUnavailable}/${limits.total}`;
  const notes = [
    pending > 0 ? `${pending} wait` : '',
    armed === undefined ? '' : 'the next call asks',
    paused ? 'asking is paused' : '',
    elsewhere ? 'decided elsewhere' : '',
  ];
  const cells = [code(who), plain(mode), blocks, silent, total, notes.filter(Boolean).join(', ')];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The tooltip, as Markdown in which what agents named means nothing. */
export function tooltip(input: StatusInput, commands: TooltipCommands, at: (time: number) => string): string {
  const { server, status, waiting } = input;
  const lines: string[] = ['**Countersign**', ''];
  const link = (title: string, command: string): string => `[${title}](command:${command})`;
  if (server.kind === 'waiting' || server.kind === 'down') {
    lines.push(`$(error) The guard is down: ${plain(server.problem)}`, '');
    lines.push('Agents ask by themselves, or are denied, until it is back.', '');
    lines.push(`${link('Restart', commands.restartServer)} · ${link('Log', commands.showLog)}`);
    return lines.join('\n');
  }
  if (server.kind === 'starting' || status === undefined) {
    lines.push('Starting.');
    return lines.join('\n');
  }
  for (const problem of status.degraded) {
    lines.push(`$(warning) ${plain(problem)}`, '');
  }
  if (waiting > 0) {
    const what = waiting === 1 ? 'One call waits for you' : `${waiting} calls wait for you`;
    lines.push(`$(bell-dot) ${link(what, commands.focusApproval)}`, '');
  }
  const live = status.sessions.filter(({ ended }) => !ended);
  if (live.length === 0) {
    lines.push('No agent works here.', '');
  } else {
    lines.push('| session | mode | blocked | no answer | total | |', '|---|---|---|---|---|---|');
    lines.push(...live.slice(0, SESSIONS).map(row), '');
    if (live.length > SESSIONS) {
      lines.push(`and ${live.length - SESSIONS} more`, '');
    }
  }
  lines.push(classifierLine(status), '');
  const last = status.lastDecision;
  if (last !== undefined) {
    const what = `${code(last.tool)} ${plain(last.decision)} (${plain(last.reason)})`;
    lines.push(`Last decision: ${what}, ${plain(last.agent)}, ${plain(at(last.time))}`, '');
  }
  const links = [
    link('Mode', commands.chooseMode),
    link('Sessions', commands.showSessions),
    link('Journal', commands.showJournal),
    link('Log', commands.showLog),
  ];
  lines.push(links.join(' · '), '', `Server ${plain(status.version)}`);
  return lines.join('\n');
}

function classifierLine({ classifier }: Status): string {
  const name = classifier.model === undefined ? 'the model' : code(classifier.model);
  switch (classifier.state) {
    case 'none':
      return 'Classifier: none is configured.';
    case 'ready': {
      const took = classifier.lastMillis === undefined ? '' : `, last answer in ${classifier.lastMillis} ms`;
      return `$(check) Classifier: ${name} answers${took}.`;
    }
    case 'unavailable':
      return `$(error) Classifier: ${name} does not answer. ${plain(classifier.problem ?? '')}`;
  }
}
