// Choosing a mode: what is stricter holds at once, what asks less is confirmed.

import * as vscode from 'vscode';

import type { Guard } from '../guard';
import type { Ask } from '../prompt/questions';
import { messageOf } from '../protocol/decode';
import { type Mode, MODES, loosens } from '../protocol/messages';
import type { Session, SessionName } from '../protocol/schemas';
import { named, nameOf } from './sessions';

const ABOUT: Readonly<Record<Mode, string>> = {
  plan: 'Agents read and plan. Nothing is changed and no command runs.',
  default: 'What no rule allows is asked about.',
  'auto-edit': 'Edits inside the workspace are not asked about. Everything else is, as in default mode.',
  auto: 'Calls are decided without asking: by your rules, by what a command provably does, and by a model if one is configured.',
  yolo: 'Everything runs that no deny rule stops. Nothing is asked, and no model looks.',
};

const TITLE: Readonly<Record<Mode, string>> = {
  plan: 'plan',
  default: 'default',
  'auto-edit': 'auto-edit',
  auto: 'auto',
  yolo: 'yolo',
};

export class Modes {
  constructor(
    private readonly guard: Guard,
    private readonly ask: Ask,
  ) {}

  /** Lets a person choose, for one session or for all of this window. */
  async pick(session?: Session): Promise<void> {
    const { status } = this.guard;
    if (status === undefined) {
      return;
    }
    const now = session?.mode ?? status.mode;
    const items = MODES.map((mode) => ({
      label: mode === now ? `$(check) ${TITLE[mode]}` : TITLE[mode],
      detail: ABOUT[mode],
      mode,
    }));
    const where = session === undefined ? 'all sessions of this window' : named(session);
    const picked = await vscode.window.showQuickPick(items, {
      title: `Mode of ${where}`,
      placeHolder: `Now: ${now}`,
    });
    if (picked !== undefined) {
      await this.choose(picked.mode, session && nameOf(session));
    }
  }

  /** Sets a mode, after whatever confirmation it needs. */
  async choose(mode: Mode, session?: SessionName): Promise<void> {
    try {
      await this.set(mode, session);
    } catch (error) {
      void vscode.window.showErrorMessage(`Countersign: ${messageOf(error)}`);
    }
  }

  private async set(mode: Mode, session: SessionName | undefined): Promise<void> {
    const where = session === undefined ? 'all sessions of this window' : named(session);
    const target = { mode, ...(session !== undefined && { session }) };
    // What the server asks about by itself is asked in its words, below.
    const serverAsks = mode === 'yolo' || (mode === 'auto' && this.guard.status?.autoAcknowledged !== true);
    if (!serverAsks && this.mayLoosen(mode, session) && !(await this.agrees(mode, where))) {
      return;
    }
    const first = await this.guard.setMode(target);
    if (first.result === 'needsNotice') {
      const rules = first.setAside.length === 0 ? '' : `\n\nThese rules are set aside in auto mode:\n${first.setAside.join('\n')}`;
      const accepted = await this.ask({
        title: 'Before the first use of auto mode',
        why: 'you are told this once',
        text: `${first.text}${rules}`,
        textLabel: 'What auto mode does',
        noLabel: 'Not Now',
        yesLabel: 'Use Auto Mode',
      });
      if (!accepted || (await this.guard.setMode({ ...target, acknowledged: true })).result !== 'done') {
        return;
      }
    } else if (first.result === 'needsConfirmation') {
      const confirmed = await this.ask({
        title: `Run everything in ${where}?`,
        why: 'yolo asks about nothing and is confirmed each time',
        text: `${first.text}\n\n${ABOUT.yolo} It ends with the server.`,
        textLabel: 'What yolo does',
        yesLabel: 'Use Yolo Mode',
      });
      if (!confirmed || (await this.guard.setMode({ ...target, confirmed: true })).result !== 'done') {
        return;
      }
    }
    vscode.window.setStatusBarMessage(`Countersign: ${mode} mode for ${where}`, 4000);
  }

  /** Whether some session would be asked less. */
  private mayLoosen(mode: Mode, session: SessionName | undefined): boolean {
    const { status } = this.guard;
    if (status === undefined) {
      return true;
    }
    const concerned = status.sessions.filter(
      (one) => session === undefined || (one.agent === session.agent && one.session === session.session),
    );
    const modes = [...concerned.map((one) => one.mode), ...(session === undefined ? [status.mode] : [])];
    return modes.length === 0 || modes.some((now) => loosens(mode, now));
  }

  private async agrees(mode: Mode, where: string): Promise<boolean> {
    return this.ask({
      title: `Use ${mode} mode?`,
      why: `${where} would be asked about less`,
      text: ABOUT[mode],
      textLabel: `What ${mode} mode does`,
      noLabel: 'Leave It',
      yesLabel: `Use ${mode} Mode`,
    });
  }
}
