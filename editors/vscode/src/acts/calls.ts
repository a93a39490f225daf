// What a person can do with one call: look at it, have it explained, grant it once.

import * as vscode from 'vscode';

import { CHANGE_SCHEME, SCHEME } from '../ids';
import type { Guard } from '../guard';
import type { Ask } from '../prompt/questions';
import { codeOf, messageOf } from '../protocol/decode';
import { ErrorCode } from '../protocol/messages';
import type { FileChange } from '../protocol/schemas';
import { shortened } from '../text/visible';
import type { Changes } from '../documents/changes';

export class Calls {
  constructor(
    private readonly guard: Guard,
    private readonly ask: Ask,
    private readonly changes: Changes,
  ) {}

  /** Opens the explanation beside, read-only. */
  async explain(id: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/call/${encodeURIComponent(id)}` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Active, preview: true });
  }

  /** Opens what a call would change, file by file. */
  async showChange(id: string): Promise<void> {
    await this.tell(async () => {
      const { changes } = await this.guard.wholeCall(id);
      if (changes.length === 0) {
        void vscode.window.showInformationMessage('Countersign: this call changes no file that it names.');
        return;
      }
      const picked = changes.length === 1 ? changes[0] : await this.pick(changes);
      if (picked !== undefined) {
        await this.diff(id, changes.indexOf(picked), picked);
      }
    });
  }

  /** Asks whether a call that the classifier denied may run this once. */
  async allowOnce(id: string): Promise<void> {
    await this.tell(async () => {
      const call = await this.guard.wholeCall(id);
      if (!call.grantable) {
        void vscode.window.showInformationMessage('Countersign: only a call that the classifier denied can be allowed once.');
        return;
      }
      const agreed = await this.ask({
        title: 'Allow this exact call once?',
        why: 'the classifier denied it',
        detail: 'The agent may make exactly this call once within ten minutes. Tell it to try again.',
        text: call.text,
        textLabel: 'The whole call',
        noLabel: 'No',
        yesLabel: 'Allow Once',
      });
      if (agreed) {
        await this.guard.grant(id);
        vscode.window.setStatusBarMessage('Countersign: allowed once. Tell the agent to try again.', 6000);
      }
    });
  }

  private async pick(changes: readonly FileChange[]): Promise<FileChange | undefined> {
    const items = changes.map((change) => ({ label: shortened(change.path, 200), description: change.kind, change }));
    return (await vscode.window.showQuickPick(items, { title: 'Proposed changes' }))?.change;
  }

  private async diff(id: string, index: number, change: FileChange): Promise<void> {
    const side = (which: 'before' | 'after'): vscode.Uri => {
      // The path gives both sides the language of the file.
      const uri = vscode.Uri.from({ scheme: CHANGE_SCHEME, path: change.path, query: `${id}.${index}.${which}` });
      this.changes.put(uri, change[which] ?? '');
      return uri;
    };
    const name = shortened(change.path.split(/[\\/]/).at(-1) ?? change.path, 80);
    const what = change.kind === 'delete' ? 'would be deleted' : change.kind === 'part' ? 'proposed, in parts' : 'proposed';
    const [before, after] = [side('before'), side('after')];
    await vscode.commands.executeCommand('vscode.diff', before, after, `${name} (now ↔ ${what})`, {
      viewColumn: vscode.ViewColumn.One,
      preview: true,
    });
  }

  private async tell(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const text = codeOf(error) === ErrorCode.notFound ? 'That call is over.' : messageOf(error);
      void vscode.window.showWarningMessage(`Countersign: ${text}`);
    }
  }
}
