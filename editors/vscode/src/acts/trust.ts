// Trust in folders, and consent to what their settings would loosen. What is
// agreed to is shown whole, with the digest that it came with.

import * as vscode from 'vscode';

import type { Guard } from '../guard';
import type { Ask } from '../prompt/questions';
import { codeOf, messageOf } from '../protocol/decode';
import { ErrorCode } from '../protocol/messages';
import type { Entry, Workspace } from '../protocol/schemas';

function listed(entries: readonly Entry[]): string {
  return entries
    .map(({ key, text, place }) => `${key}: ${text}${place === undefined ? '' : `\n    in ${place}`}`)
    .join('\n');
}

/** Everything that a digest is over, in words. */
export function loosening({ pending, withdrawn }: Workspace): string {
  const parts = [pending.length > 0 ? `These would take effect:\n\n${listed(pending)}` : ''];
  if (withdrawn.length > 0) {
    parts.push(`These were accepted once, are in no file any more, and end:\n\n${listed(withdrawn)}`);
  }
  return parts.filter(Boolean).join('\n\n');
}

export class Trust {
  constructor(
    private readonly guard: Guard,
    private readonly ask: Ask,
  ) {}

  /** What a person can say of the open folders. */
  async review(): Promise<void> {
    const workspaces = this.guard.status?.workspaces ?? [];
    const items = workspaces.flatMap((workspace) => this.offers(workspace));
    if (items.length === 0) {
      void vscode.window.showInformationMessage('Countersign: no folder is open.');
      return;
    }
    const picked = await vscode.window.showQuickPick(items, { title: 'Workspace settings', matchOnDescription: true });
    await picked?.act();
  }

  /** Asks for the trust of a folder. */
  async trust(folder: string): Promise<void> {
    const agreed = await this.ask({
      title: 'Trust this folder?',
      why: 'auto-edit, auto and yolo need trusted folders, and allow rules in its settings can then be accepted',
      text: folder,
      textLabel: 'The folder',
      noLabel: 'No',
      yesLabel: 'Trust',
    });
    if (agreed) {
      await this.act(() => this.guard.setTrust(folder, true));
    }
  }

  /** Asks whether what is checked out may execute; with `workTree` also everything else in the folder. */
  async baseline(folder: string, workTree: boolean): Promise<void> {
    const commit = this.workspace(folder)?.baseline?.head;
    if (commit === undefined) {
      void vscode.window.showInformationMessage('Countersign: no commit is checked out in this folder.');
      return;
    }
    const rest = workTree ? '\n\nAnd everything else that lies in the folder now, whoever wrote it: look at it first.' : '';
    const agreed = await this.ask({
      title: 'Trust what is checked out to execute?',
      why: 'tasks and scripts as this commit has them would run without review',
      detail: folder,
      text: `Commit ${commit}${rest}`,
      textLabel: 'What is trusted',
      noLabel: 'No',
      yesLabel: 'Trust',
    });
    if (agreed) {
      await this.act(() => this.guard.setBaseline({ folder, commit, ...(workTree && { workTree }) }));
    }
  }

  /** Asks for consent to whatever waits in a folder. */
  async consent(folder: string): Promise<void> {
    await this.loosen(folder);
    await this.remove(folder);
  }

  private offers(workspace: Workspace): (vscode.QuickPickItem & { act: () => Promise<void> })[] {
    const { folder, trusted, pending, withdrawn, removed, baseline } = workspace;
    const offers = [
      trusted
        ? {
            label: '$(circle-slash) Trust this folder no longer',
            description: folder,
            act: () => this.act(() => this.guard.setTrust(folder, false)),
          }
        : { label: '$(shield) Trust this folder…', description: folder, act: () => this.trust(folder) },
    ];
    if (pending.length + withdrawn.length > 0) {
      offers.push({
        label: `$(list-unordered) Review ${pending.length + withdrawn.length} settings that would loosen…`,
        description: folder,
        act: () => this.loosen(folder),
      });
    }
    if (removed.length > 0) {
      offers.push({
        label: `$(trash) Review ${removed.length} restrictions that left the settings…`,
        description: folder,
        act: () => this.remove(folder),
      });
    }
    if (baseline?.head !== undefined) {
      const commit = baseline.head.slice(0, 10);
      if (baseline.head !== baseline.commit) {
        offers.push({
          label: `$(git-commit) Trust commit ${commit} to execute…`,
          description: folder,
          act: () => this.baseline(folder, false),
        });
      }
      offers.push({
        label: `$(folder) Trust commit ${commit} and all files here to execute…`,
        description: folder,
        act: () => this.baseline(folder, true),
      });
    }
    return offers;
  }

  private workspace(folder: string): Workspace | undefined {
    return this.guard.status?.workspaces.find((one) => one.folder === folder);
  }

  private async loosen(folder: string): Promise<void> {
    const workspace = this.workspace(folder);
    const digest = workspace?.consentDigest;
    if (workspace === undefined || digest === undefined) {
      return;
    }
    const agreed = await this.ask({
      title: 'Accept what these settings loosen?',
      why: 'the settings of this folder would let agents do more',
      detail: folder,
      text: loosening(workspace),
      textLabel: 'All of it',
      noLabel: 'Leave It',
      yesLabel: 'Accept All of It',
    });
    if (agreed) {
      await this.act(() => this.guard.consent({ folder, digest, what: 'loosening' }));
    }
  }

  private async remove(folder: string): Promise<void> {
    const workspace = this.workspace(folder);
    const digest = workspace?.removalDigest;
    if (workspace === undefined || digest === undefined) {
      return;
    }
    const agreed = await this.ask({
      title: 'Give up these restrictions?',
      why: 'they left the settings of this folder and still hold',
      detail: folder,
      text: listed(workspace.removed),
      textLabel: 'All of them',
      noLabel: 'Keep Them',
      yesLabel: 'Give Them Up',
    });
    if (agreed) {
      await this.act(() => this.guard.consent({ folder, digest, what: 'removal' }));
    }
  }

  private async act(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const text =
        codeOf(error) === ErrorCode.changed ? 'The settings changed while you looked. Look again.' : messageOf(error);
      void vscode.window.showErrorMessage(`Countersign: ${text}`);
    }
  }
}
