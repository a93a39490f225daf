// What the rest of the extension needs of a running server. The language client
// itself stays behind it, in a bundle that is loaded when a server is started.

import type { LogOutputChannel, TextDocument } from 'vscode';

import type { Layers } from './layers';

/** How a server is started, and who hears of it. */
export interface StartOptions {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A folder that no workspace can be, for the process to start in. */
  readonly folder: string;
  readonly trusted: boolean;
  readonly layers: Layers;
  readonly log: LogOutputChannel;
  /** Whether a document is one that the server is told of when it opens. */
  readonly isSynced: (document: TextDocument) => boolean;
  /** Handles a command of the server in place of sending it; false to send it. */
  readonly onCommand: (command: string, args: readonly unknown[]) => boolean;
  readonly onNotification: (method: string, params: unknown) => void;
  /** A document is to be fetched anew. */
  readonly onRefresh: (params: unknown) => void;
  /** The process is gone without having been asked to go. Called at most once, after the start. */
  readonly onEnd: () => void;
}

export interface Connection {
  /** What `initialize` answered, undecoded. */
  readonly initialized: unknown;
  request(method: string, params?: unknown): Promise<unknown>;
  notify(method: string, params?: unknown): void;
  /** Ends the server; resolves when it is gone or had enough time. */
  stop(): Promise<void>;
  dispose(): void;
}

/** The notifications that are passed on. */
export interface ClientBundle {
  start(options: StartOptions, notifications: readonly string[]): Promise<Connection>;
}
