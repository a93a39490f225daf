// Follows the journal for calls that were blocked: after each decision, not
// more often than a person could look.

import type { Guard } from '../guard';
import type { Blocked } from './blocked';

const ROWS = 500;
/** In milliseconds. */
const CALM = 250;

export function followBlocked(guard: Guard, blocked: Blocked): { dispose(): void } {
  let timer: NodeJS.Timeout | undefined;
  let seen: string | undefined;
  const look = async (): Promise<void> => {
    const folders = (guard.status?.workspaces ?? []).map(({ folder }) => folder);
    try {
      blocked.update(await guard.journal({ limit: ROWS }), folders);
    } catch {
      // The server ended meanwhile; it is looked at again when it is back.
      seen = undefined;
    }
  };
  const subscription = guard.onDidChange(() => {
    if (guard.server.kind !== 'running') {
      seen = undefined;
      return;
    }
    const last = guard.status?.lastDecision;
    const now = `${last?.id ?? ''} ${last?.time ?? 0} ${last?.decision ?? ''}`;
    if (now !== seen) {
      seen = now;
      timer ??= setTimeout(() => {
        timer = undefined;
        void look();
      }, CALM);
    }
  });
  return {
    dispose: () => {
      clearTimeout(timer);
      subscription.dispose();
    },
  };
}
