// How sessions are named to people, and told apart.

import type { Session, SessionName } from '../protocol/schemas';
import { shortened } from '../text/visible';

/** A session in a few words; ids are long and say little. */
export function named({ agent, session, subagent }: SessionName): string {
  const id = shortened(session, 9);
  return subagent === undefined ? `${agent} ${id}` : `${agent} ${id} / ${shortened(subagent, 24)}`;
}

/** Only the name of a session, as requests take it. */
export function nameOf({ agent, session, subagent }: SessionName): SessionName {
  return subagent === undefined ? { agent, session } : { agent, session, subagent };
}

export function isSame(one: SessionName, other: SessionName): boolean {
  return one.agent === other.agent && one.session === other.session && one.subagent === other.subagent;
}

/** Those that go on, the one seen last first. */
export function live(sessions: readonly Session[]): Session[] {
  return sessions.filter(({ ended }) => !ended);
}
