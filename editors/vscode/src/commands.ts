// The commands: each only leads to what does the work. Any extension can run a
// command, so none of them answers for a person; what loosens asks first.

import * as vscode from 'vscode';
import * as v from 'valibot';

import type { Calls } from './acts/calls';
import { installHooks } from './acts/install';
import type { Modes } from './acts/modes';
import { live, named, nameOf } from './acts/sessions';
import type { Trust } from './acts/trust';
import type { Guard } from './guard';
import { Command, EXTENSION_ID, JOURNAL_URI, WALKTHROUGH } from './ids';
import { openMenu } from './menu';
import type { ApprovalFlow } from './prompt/flow';
import type { Ask } from './prompt/questions';
import { messageOf } from './protocol/decode';
import { Mode, ServerCommand } from './protocol/messages';
import { SessionName } from './protocol/schemas';
import type { Blocked } from './state/blocked';
import { CallItem } from './views/approvals';
import type { HistoryView } from './views/history';
import { SessionItem } from './views/sessions';

export interface Parts {
  readonly guard: Guard;
  readonly flow: ApprovalFlow;
  readonly calls: Calls;
  readonly modes: Modes;
  readonly trust: Trust;
  readonly ask: Ask;
  readonly blocked: Blocked;
  readonly history: HistoryView;
  readonly log: vscode.LogOutputChannel;
}

/** A call's id, from a tree item or as it is. */
function callId(argument: unknown): string | undefined {
  if (argument instanceof CallItem) {
    return argument.callId;
  }
  return typeof argument === 'string' ? argument : undefined;
}

async function openDocument(uri: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri, true));
  await vscode.window.showTextDocument(document, { preview: true });
}

async function pickSession({ guard }: Parts): Promise<void> {
  const items = (guard.status?.sessions ?? []).map((session) => {
    const item = new SessionItem(session);
    return {
      label: named(session),
      description: typeof item.description === 'string' ? item.description : '',
      uri: session.uri,
    };
  });
  if (items.length === 0) {
    void vscode.window.showInformationMessage('Countersign: no agent works here.');
    return;
  }
  const picked = await vscode.window.showQuickPick(items, { title: 'Sessions', matchOnDescription: true });
  if (picked !== undefined) {
    await openDocument(picked.uri);
  }
}

/** Asks, and resets: what was denied does not count any more. */
async function resetCounters({ guard, ask }: Parts, session: SessionName | undefined): Promise<void> {
  const where = session === undefined ? 'all sessions' : named(session);
  const agreed = await ask({
    title: 'Reset the denial counters?',
    why: `${where} would get as many denials again before you are asked`,
    text: session === undefined ? live(guard.status?.sessions ?? []).map(named).join('\n') || 'all sessions' : where,
    textLabel: 'Reset for',
    noLabel: 'Keep Counting',
    yesLabel: 'Reset',
  });
  if (agreed) {
    await guard.resetCounters(session);
  }
}

/** Registers everything that package.json declares. */
export function registerCommands(parts: Parts): vscode.Disposable {
  const { guard, flow, calls, modes, trust, blocked, history, log } = parts;
  const ofCall =
    (act: (id: string) => unknown) =>
    (argument: unknown): unknown => {
      const id = callId(argument);
      return id === undefined ? undefined : act(id);
    };
  const sessionOf = (argument: unknown): SessionItem['session'] | undefined =>
    argument instanceof SessionItem ? argument.session : undefined;
  const acts: Readonly<Record<(typeof Command)[keyof typeof Command], (argument: unknown) => unknown>> = {
    [Command.menu]: () => openMenu(guard),
    [Command.focusApproval]: () => {
      const newest = guard.approvals.newest();
      if (newest === undefined) {
        vscode.window.setStatusBarMessage('Countersign: nothing waits for you.', 3000);
      } else {
        flow.show(newest.id, true);
      }
    },
    [Command.showApproval]: ofCall((id) => {
      flow.show(id, true);
    }),
    [Command.deny]: ofCall((id) => flow.deny(id)),
    [Command.showChange]: ofCall((id) => calls.showChange(id)),
    [Command.explain]: ofCall((id) => calls.explain(id)),
    [Command.allowOnce]: ofCall((id) => calls.allowOnce(id)),
    [Command.dismissBlocked]: ofCall((id) => {
      blocked.dismiss(id);
    }),
    [Command.dismissAllBlocked]: () => {
      blocked.dismissAll();
    },
    [Command.chooseMode]: (argument) => modes.pick(sessionOf(argument)),
    [Command.showSession]: (argument) => {
      const uri = sessionOf(argument)?.uri ?? (typeof argument === 'string' ? argument : undefined);
      return uri?.startsWith('countersign:/session/') === true ? openDocument(uri) : pickSession(parts);
    },
    [Command.showSessions]: () => pickSession(parts),
    [Command.resetCounters]: (argument) => {
      const session = sessionOf(argument);
      return resetCounters(parts, session && nameOf(session));
    },
    [Command.showJournal]: () => openDocument(JOURNAL_URI),
    [Command.filterHistory]: () => history.pickFilter(),
    [Command.clearHistoryFilter]: () => {
      history.clearFilter();
    },
    [Command.refreshHistory]: () => {
      history.refresh();
    },
    [Command.reviewTrust]: () => trust.review(),
    [Command.openSettings]: () =>
      vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${EXTENSION_ID}`),
    [Command.openWalkthrough]: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
    [Command.installHooks]: () => installHooks(guard),
    [Command.restartServer]: () => guard.restart(),
    [Command.showLog]: () => {
      log.show(true);
    },
  };
  const registered = Object.entries(acts).map(([command, act]) =>
    vscode.commands.registerCommand(command, async (argument: unknown) => {
      try {
        await act(argument);
      } catch (error) {
        log.error(`${command}: ${messageOf(error)}`);
        void vscode.window.showErrorMessage(`Countersign: ${messageOf(error)}`);
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

/**
 * What code actions and lenses run: where the server would ask by a native
 * prompt, which VS Code cuts and other extensions can accept, or show a text, it
 * is done here. False leaves the command to the server.
 */
export function interceptCommand(parts: Parts, command: string, args: readonly unknown[]): boolean {
  const [first, second] = args;
  const session = (value: unknown): SessionName | undefined => {
    const found = v.safeParse(SessionName, value);
    return found.success ? found.output : undefined;
  };
  const { calls, modes, trust } = parts;
  const act = (): Promise<unknown> | undefined => {
    switch (command) {
      case ServerCommand.grant:
        return typeof first === 'string' ? calls.allowOnce(first) : undefined;
      case ServerCommand.explain:
        return typeof first === 'string' ? calls.explain(first) : undefined;
      case ServerCommand.showChange:
        return typeof first === 'string' ? calls.showChange(first) : undefined;
      case ServerCommand.setMode: {
        const mode = v.safeParse(Mode, first);
        return mode.success ? modes.choose(mode.output, session(second)) : modes.pick();
      }
      case ServerCommand.resetCounters:
        return resetCounters(parts, session(first));
      case ServerCommand.trust:
        return typeof first === 'string' ? trust.trust(first) : trust.review();
      case ServerCommand.setBaseline:
        return typeof first === 'string' ? trust.baseline(first, false) : trust.review();
      case ServerCommand.consent:
        return typeof first === 'string' ? trust.consent(first) : trust.review();
      default:
        return undefined;
    }
  };
  const acting = act();
  acting?.catch((error: unknown) => {
    void vscode.window.showErrorMessage(`Countersign: ${messageOf(error)}`);
  });
  return acting !== undefined;
}
