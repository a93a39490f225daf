// The guard as the extension sees it: keeps a server running, decodes what it
// says, holds what it said last, and carries a person's acts to it.

import * as os from 'node:os';

import * as vscode from 'vscode';

import { SCHEME } from './ids';
import { decode, messageOf } from './protocol/decode';
import {
  type Consent,
  type JournalFilter,
  Method,
  type ResolveApproval,
  type SetBaseline,
  type SetMode,
} from './protocol/messages';
import * as schemas from './protocol/schemas';
import type { ClientBundle, Connection, StartOptions } from './server/connection';
import { locate } from './server/locate';
import { surroundings } from './server/machine';
import { delay, failuresAfter } from './server/restarts';
import { readLayers, serverArguments, serverEnvironment } from './server/settings';
import { disagreement } from './server/version';
import { Approvals } from './state/approvals';
import { Emitter } from './state/emitter';
import type { ServerState } from './status/text';

const NOTIFICATIONS = [
  Method.statusChanged,
  Method.approvalRequested,
  Method.approvalResolved,
  Method.decision,
] as const;

/** Loads the bundle with the language client when it is first needed. */
export type LoadClient = () => Promise<ClientBundle>;

/** Settings files of ours and of the agents whose lists are imported. */
function isSettings(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' && /[\\/]\.?(countersign|claude|qwen)[\\/]settings[^\\/]*\.json$/.test(document.uri.fsPath);
}

export class Guard implements vscode.Disposable {
  readonly approvals = new Approvals();
  private readonly changed = new Emitter<undefined>();
  private readonly decided = new Emitter<schemas.Decision>();
  private readonly refreshed = new Emitter<string>();
  private readonly lost = new Emitter<undefined>();

  /** The state of the server or its status changed. */
  readonly onDidChange = this.changed.event;
  readonly onDidDecide = this.decided.event;
  /** A document of the server is to be fetched anew. */
  readonly onDidRefresh = this.refreshed.event;
  /** The server is gone; what was asked of it stays without an answer. */
  readonly onDidLose = this.lost.event;

  private state: ServerState = { kind: 'starting' };
  private last: schemas.Status | undefined;
  private connection: Connection | undefined;
  private failures = 0;
  /** Each start has its own; what belongs to an older one is over. */
  private generation = 0;
  private timer: NodeJS.Timeout | undefined;
  private trust = vscode.workspace.isTrusted;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly loadClient: LoadClient,
    private readonly onCommand: StartOptions['onCommand'],
  ) {}

  get server(): ServerState {
    return this.state;
  }

  /** What the running server said last; none of one that is gone. */
  get status(): schemas.Status | undefined {
    return this.last;
  }

  get isRunning(): boolean {
    return this.connection !== undefined;
  }

  /** The binary that runs, for acts that need it. */
  get file(): string | undefined {
    return this.state.kind === 'running' ? this.state.file : undefined;
  }

  /** Starts the server, or starts it anew. */
  async start(): Promise<void> {
    const generation = ++this.generation;
    clearTimeout(this.timer);
    this.set({ kind: 'starting' });
    const before = this.forget();
    await before?.stop();
    if (generation !== this.generation) {
      return;
    }
    const located = locate(surroundings(this.context.extensionPath));
    if (!located.found) {
      this.log.error(located.problem);
      this.set({ kind: 'down', problem: located.problem });
      return;
    }
    this.log.info(`starting ${located.file} (${located.by})`);
    const began = Date.now();
    try {
      const client = await this.loadClient();
      const connection = await client.start(this.options(located.file, generation, began), NOTIFICATIONS);
      if (generation !== this.generation) {
        await connection.stop();
        return;
      }
      await this.begin(connection, located.file);
    } catch (error) {
      if (generation === this.generation) {
        this.failed(messageOf(error), began);
      }
    }
  }

  /** The person wants it to run now, whatever happened before. */
  async restart(): Promise<void> {
    this.failures = 0;
    await this.start();
  }

  /** Settings, folders or trust changed. */
  sendSettings(): void {
    this.trust = vscode.workspace.isTrusted;
    this.connection?.notify('workspace/didChangeConfiguration', {
      settings: readLayers(this.context.extension.packageJSON),
    });
  }

  /** The open folders changed: they have settings, and the binary may lie inside one now. */
  foldersChanged(): void {
    const located = locate(surroundings(this.context.extensionPath));
    if (this.state.kind === 'running' && (!located.found || located.file !== this.state.file)) {
      void this.restart();
    } else {
      this.sendSettings();
    }
  }

  notify(method: string, params: unknown): void {
    this.connection?.notify(method, params);
  }

  // Acts of a person. They are called from a click or a key alone.

  async resolveApproval(params: ResolveApproval): Promise<schemas.ResolveResult> {
    return this.ask(Method.resolveApproval, schemas.ResolveResult, params);
  }

  async setMode(params: SetMode): Promise<schemas.SetModeResult> {
    return this.ask(Method.setMode, schemas.SetModeResult, params);
  }

  async grant(id: string): Promise<void> {
    await this.ask(Method.grant, schemas.Nothing, { id });
  }

  async resetCounters(session: schemas.SessionName | undefined): Promise<void> {
    await this.ask(Method.resetCounters, schemas.Nothing, session === undefined ? {} : { session });
  }

  async setTrust(folder: string, trusted: boolean): Promise<void> {
    await this.ask(Method.trust, schemas.Nothing, { folder, trusted });
  }

  async setBaseline(params: SetBaseline): Promise<void> {
    await this.ask(Method.setBaseline, schemas.Nothing, params);
  }

  async consent(params: Consent): Promise<void> {
    await this.ask(Method.consent, schemas.Nothing, params);
  }

  // Looking.

  async explain(id: string): Promise<string> {
    return (await this.ask(Method.explain, schemas.Explanation, { id })).markdown;
  }

  async wholeCall(id: string): Promise<schemas.WholeCall> {
    return this.ask(Method.wholeCall, schemas.WholeCall, { id });
  }

  async journal(filter: JournalFilter): Promise<schemas.JournalRow[]> {
    return (await this.ask(Method.journal, schemas.Journal, filter)).rows;
  }

  async document(uri: string): Promise<string> {
    return (await this.ask(Method.content, schemas.TextDocumentContent, { uri })).text;
  }

  dispose(): void {
    this.generation += 1;
    clearTimeout(this.timer);
    void this.forget()?.stop();
  }

  /** Ends the server and waits for it. */
  async end(): Promise<void> {
    this.generation += 1;
    clearTimeout(this.timer);
    await this.forget()?.stop();
  }

  private options(file: string, generation: number, began: number): StartOptions {
    return {
      file,
      arguments: serverArguments(),
      environment: serverEnvironment(),
      folder: os.homedir(),
      trusted: this.trust,
      layers: readLayers(this.context.extension.packageJSON),
      log: this.log,
      isSynced: (document) => document.uri.scheme === SCHEME || isSettings(document),
      onCommand: this.onCommand,
      onNotification: (method, params) => {
        if (generation === this.generation) {
          this.heard(method, params);
        }
      },
      onRefresh: (params) => {
        const { uri } = decode(Method.refresh, schemas.Refresh, params);
        this.refreshed.fire(uri);
      },
      onEnd: () => {
        if (generation === this.generation) {
          this.failed('the server ended', began);
        }
      },
    };
  }

  private async begin(connection: Connection, file: string): Promise<void> {
    const version = versionOf(connection.initialized);
    const problem = disagreement(version);
    if (problem !== undefined || version === undefined) {
      await connection.stop();
      this.log.error(problem ?? 'no version');
      this.set({ kind: 'down', problem: problem ?? 'The server says no version.' });
      return;
    }
    this.connection = connection;
    this.log.info(`countersign ${version} runs`);
    const { approvals } = await this.ask(Method.pendingApprovals, schemas.PendingApprovals);
    // At once: what comes from now on is not in this list.
    this.approvals.replace(approvals);
    this.last = await this.ask(Method.status, schemas.Status);
    // It may have ended while it was asked.
    if (this.connection !== connection) {
      return;
    }
    this.set({ kind: 'running', version, file });
    if (vscode.workspace.isTrusted !== this.trust) {
      this.sendSettings();
    }
  }

  private heard(method: string, params: unknown): void {
    try {
      switch (method) {
        case Method.statusChanged:
          this.last = decode(method, schemas.Status, params);
          this.changed.fire(undefined);
          break;
        case Method.approvalRequested:
          this.approvals.add(decode(method, schemas.Approval, params));
          break;
        case Method.approvalResolved:
          this.approvals.resolve(decode(method, schemas.ApprovalResolved, params));
          break;
        case Method.decision:
          this.decided.fire(decode(method, schemas.Decision, params));
          break;
      }
    } catch (error) {
      // Nothing is approved by what is not understood: the server's deadline denies it.
      this.log.error(messageOf(error));
    }
  }

  private failed(problem: string, began: number): void {
    this.forget()?.dispose();
    this.failures = failuresAfter(this.failures, Date.now() - began);
    const wait = delay(this.failures);
    this.log.error(`${problem}; it is started again in ${wait} ms`);
    this.set({ kind: 'waiting', problem, seconds: Math.ceil(wait / 1000) });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.start(), wait);
  }

  private forget(): Connection | undefined {
    const { connection } = this;
    this.connection = undefined;
    this.last = undefined;
    this.approvals.clear();
    if (connection !== undefined) {
      this.lost.fire(undefined);
    }
    return connection;
  }

  private set(state: ServerState): void {
    this.state = state;
    this.changed.fire(undefined);
  }

  private async ask<S extends Parameters<typeof decode>[1]>(
    method: string,
    schema: S,
    params?: unknown,
  ): Promise<ReturnType<typeof decode<S>>> {
    if (this.connection === undefined) {
      throw new Error('The guard is not running.');
    }
    return decode(method, schema, await this.connection.request(method, params));
  }
}

function versionOf(initialized: unknown): string | undefined {
  try {
    return decode('initialize', schemas.Handshake, initialized).capabilities.experimental.countersign.version;
  } catch {
    return undefined;
  }
}
