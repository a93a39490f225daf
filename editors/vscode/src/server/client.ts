// One language client for one run of the server: a bundle of its own, because
// it is most of the code. Restarting is not its business.

import type * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  type ClientCapabilities,
  type Executable,
  type FeatureState,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
} from 'vscode-languageclient/node';

import { SCHEME } from '../ids';
import { Method } from '../protocol/messages';
import type { Connection, StartOptions } from './connection';

/** How long a server may take to end. In milliseconds. */
const TO_END = 2000;

/** Says that this client draws approvals by itself. */
class Declaration implements StaticFeature {
  constructor(private readonly trusted: boolean) {}

  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const experimental: Record<string, unknown> = {
      countersign: { kind: 'vscode', trusted: this.trusted, documents: true },
    };
    capabilities.experimental = experimental;
  }

  initialize(): void {
    // There is nothing to begin.
  }

  getState(): FeatureState {
    return { kind: 'static' };
  }

  clear(): void {
    // There is nothing to end.
  }
}

export async function start(options: StartOptions, notifications: readonly string[]): Promise<Connection> {
  const executable: Executable = {
    command: options.file,
    args: ['lsp', ...options.arguments],
    options: { cwd: options.folder, env: { ...process.env, ...options.environment } },
  };
  const hasNews = (document: vscode.TextDocument): boolean =>
    options.isSynced(document) || (client.diagnostics?.has(document.uri) ?? false);
  const clientOptions: LanguageClientOptions = {
    documentSelector: [{ scheme: 'file' }, { scheme: SCHEME }],
    initializationOptions: options.layers,
    outputChannel: options.log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    // A failure to start is shown in the status bar, not in a toast.
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
    },
    middleware: {
      // Of all that is open, the server wants settings and its own documents.
      didOpen: async (document, next) => (options.isSynced(document) ? next(document) : undefined),
      didClose: async (document, next) => (options.isSynced(document) ? next(document) : undefined),
      didSave: async (document, next) => (options.isSynced(document) ? next(document) : undefined),
      // Nothing is asked of files that nothing is known about: the cursor moves often.
      provideHover: (document, position, token, next) =>
        hasNews(document) ? next(document, position, token) : undefined,
      provideCodeActions: (document, range, context, token, next) =>
        hasNews(document) ? next(document, range, context, token) : undefined,
      provideCodeLenses: (document, token, next) => (options.isSynced(document) ? next(document, token) : undefined),
      executeCommand: (command, args: readonly unknown[], next): unknown =>
        options.onCommand(command, args) ? null : next(command, [...args]),
    },
  };
  const client = new LanguageClient('countersign', 'Countersign', executable, clientOptions);
  client.registerFeature(new Declaration(options.trusted));

  let ends = false;
  let wasReady = false;
  for (const method of notifications) {
    client.onNotification(method, (params: unknown) => {
      options.onNotification(method, params);
    });
  }
  client.onRequest(Method.refresh, (params: unknown) => {
    options.onRefresh(params);
    return null;
  });
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped && wasReady && !ends) {
      ends = true;
      options.onEnd();
    }
  });

  const stop = async (): Promise<void> => {
    ends = true;
    try {
      await client.dispose(TO_END);
    } catch (error) {
      options.log.debug(`the server did not end as it was asked to: ${String(error)}`);
    }
  };

  try {
    await client.start();
  } catch (error) {
    await stop();
    throw error;
  }
  wasReady = true;
  return {
    initialized: client.initializeResult,
    request: (method, params) =>
      params === undefined ? client.sendRequest<unknown>(method) : client.sendRequest<unknown>(method, params),
    notify: (method, params) => {
      const sent = client.sendNotification(method, params);
      sent.catch((error: unknown) => {
        options.log.warn(`${method} was not sent: ${String(error)}`);
      });
    },
    stop,
    dispose: () => void stop(),
  };
}
