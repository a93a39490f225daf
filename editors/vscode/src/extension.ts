// Where the extension begins and ends: puts the parts together. The order of
// things, from the server to the screen:
//
//   server/    finds and starts the server; `client.ts` is a bundle of its own
//   protocol/  decodes what it says
//   guard.ts   keeps it running and holds what it said last
//   state/     approvals with their nonces, blocked calls
//   prompt/    the flow of approvals and questions; `../webview` draws them
//   acts/      what a person does: modes, trust, grants, hooks
//   views/, status/, documents/, menu.ts   what a person sees
//   api.ts     what other extensions get
//
// What stays true: no nonce leaves `state/` but in an answer to the server; what
// loosens is asked in a web view, which no command can click; a no needs no prompt;
// nothing takes the keyboard unasked; what was not decoded is not believed.

import * as vscode from 'vscode';

import type { CountersignApi } from '../api';
import { Calls } from './acts/calls';
import { Modes } from './acts/modes';
import { Trust } from './acts/trust';
import { createApi } from './api';
import { type Parts, interceptCommand, registerCommands } from './commands';
import { Changes } from './documents/changes';
import { Documents } from './documents/provider';
import { Guard } from './guard';
import { CHANGE_SCHEME, Context, PROMPT_VIEW, QUESTION_VIEW, SCHEME, Setting, View } from './ids';
import { offerReview } from './offers';
import { ApprovalFlow } from './prompt/flow';
import { panels } from './prompt/panel';
import { questions } from './prompt/questions';
import { concernsStart, reveals } from './server/settings';
import { Blocked } from './state/blocked';
import { followBlocked } from './state/follow';
import { StatusBar } from './status/bar';
import { ApprovalsView } from './views/approvals';
import { HistoryView } from './views/history';
import { SessionsView } from './views/sessions';

let running: Guard | undefined;

export function activate(context: vscode.ExtensionContext): CountersignApi {
  const log = vscode.window.createOutputChannel('Countersign', { log: true });
  const holder: { parts?: Parts } = {};
  const guard = new Guard(
    context,
    log,
    () => import('./server/client'),
    (command, args) => holder.parts !== undefined && interceptCommand(holder.parts, command, args),
  );
  running = guard;

  const changes = new Changes();
  const documents = new Documents(guard);
  const ask = questions(panels(QUESTION_VIEW, context.extensionUri, log), Date.now);
  const calls = new Calls(guard, ask, changes);
  const blocked = new Blocked(
    {
      get: () => context.workspaceState.get<readonly string[]>('dismissed', []),
      set: (dismissed) => void context.workspaceState.update('dismissed', dismissed),
    },
    Date.now(),
  );
  const flow = new ApprovalFlow(guard.approvals, {
    open: panels(PROMPT_VIEW, context.extensionUri, log),
    answer: (params) => guard.resolveApproval(params),
    say: (text) => void vscode.window.setStatusBarMessage(`$(shield) ${text}`, 5000),
    warn: (text) => void vscode.window.showWarningMessage(`Countersign: ${text}`),
    look: (id, at) => void (at === 'change' ? calls.showChange(id) : calls.explain(id)),
    reveals,
    now: Date.now,
  });
  const history = new HistoryView(guard);
  const approvals = new ApprovalsView(guard, blocked);
  const sessions = new SessionsView(guard);
  const approvalsTree = vscode.window.createTreeView(View.approvals, { treeDataProvider: approvals });
  const historyTree = vscode.window.createTreeView(View.history, { treeDataProvider: history, showCollapseAll: false });
  approvals.attach(approvalsTree);
  history.attach(historyTree);
  const parts: Parts = {
    guard,
    flow,
    calls,
    modes: new Modes(guard, ask),
    trust: new Trust(guard, ask),
    ask,
    blocked,
    history,
    log,
  };
  holder.parts = parts;

  context.subscriptions.push(
    log,
    guard,
    documents,
    approvals,
    sessions,
    history,
    approvalsTree,
    historyTree,
    new StatusBar(guard),
    followBlocked(guard, blocked),
    registerCommands(parts),
    vscode.window.registerTreeDataProvider(View.sessions, sessions),
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, documents),
    vscode.workspace.registerTextDocumentContentProvider(CHANGE_SCHEME, changes),
    guard.onDidChange(() => {
      void vscode.commands.executeCommand('setContext', Context.running, guard.server.kind === 'running');
    }),
    offerReview(guard),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (concernsStart(change)) {
        void guard.restart();
      } else if (change.affectsConfiguration(Setting.section)) {
        guard.sendSettings();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      guard.sendSettings();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      // Folders have settings, and a binary may lie inside one now.
      guard.foldersChanged();
    }),
  );
  // Not before the editor has drawn what it begins with.
  setImmediate(() => void guard.start());
  return createApi(guard, context);
}

export async function deactivate(): Promise<void> {
  await running?.end();
  running = undefined;
}
