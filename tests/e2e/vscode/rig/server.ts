// VS Code: its server, which the extensions run in. What a person has set is
// written before it starts; nothing of the machine's own person is read.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { installed } from './installed.ts';

const run = promisify(execFile);
const PROGRAM = join(installed.vscode, 'out/server-main.js');

/** Settings that keep VS Code from what the tests are not about. */
const QUIET = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  // A window that is used again has nothing to ask about.
  'files.autoSave': 'onFocusChange',
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.restoreWindows': 'none',
  'workbench.enableExperiments': false,
  // Half transparent notifications are in no screenshot.
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** A person's folders. */
export interface Folders {
  /** The person's home, as the user database has it. */
  person: string;
  /** The folder that is opened. */
  workspace: string;
  /** What Countersign keeps. */
  state: string;
  /** What VS Code keeps. */
  editor: string;
}

/** The environment of everything that is started. */
export function environment(folders: Folders): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: folders.person, LC_ALL: 'C.UTF-8', SHELL: '/bin/sh' };
}

/**
 * Installs the package as a person would, into a folder that several VS Codes
 * may use one after the other.
 */
export async function installPackage(into: string): Promise<string> {
  const extensions = join(into, 'extensions');
  // VS Code 1.100 makes no folder in one that is not there.
  mkdirSync(extensions, { recursive: true });
  const words = ['--install-extension', installed.package, '--extensions-dir', extensions];
  const data = ['--server-data-dir', join(into, 'server'), '--user-data-dir', join(into, 'user')];
  const options = { env: { PATH: process.env['PATH'], HOME: into }, timeout: 120_000 };
  await run(installed.node, [PROGRAM, ...words, ...data, '--accept-server-license-terms'], options);
  return extensions;
}

/** The installed extension and others that lie unpacked in a folder, side by side. */
export function withOthers(extensions: string, into: string, others: string[]): string {
  const installedName = readdirSync(extensions).find((name) => name.startsWith('countersign.'));
  if (!installedName) {
    throw new Error(`the extension is not in ${extensions}`);
  }
  // VS Code looks for folders where there is no list of them.
  mkdirSync(into, { recursive: true });
  cpSync(join(extensions, installedName), join(into, installedName), { recursive: true });
  for (const other of others) {
    cpSync(other, join(into, `tests.${other.split('/').at(-1)}-0.0.1`), { recursive: true });
  }
  return into;
}

/** A running server of VS Code. */
export class VSCode {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    private readonly said: string[],
  ) {}

  static async start(folders: Folders, extensions: string, settings: object): Promise<VSCode> {
    const text = JSON.stringify({ ...QUIET, ...settings }, undefined, 2);
    const [user, data] = [join(folders.editor, 'user'), join(folders.editor, 'server')];
    // What is set for a machine counts where extensions run, all else where
    // the person sits: here both are one.
    for (const file of [join(user, 'User/settings.json'), join(user, 'Machine/settings.json')]) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const words = ['--host', '127.0.0.1', '--port', '0', '--without-connection-token'];
    words.push('--accept-server-license-terms', '--telemetry-level', 'off');
    words.push('--server-data-dir', data, '--user-data-dir', user, '--extensions-dir', extensions);
    const child = spawn(installed.node, [PROGRAM, ...words], {
      cwd: folders.person,
      env: environment(folders),
      // In the tests' own group, so that it ends with them whatever happens.
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const port = await new Promise<number>((listens, fails) => {
      const deadline = setTimeout(() => fails(new Error(`VS Code does not listen:\n${said.join('')}`)), 60_000);
      const hear = (text: string): void => {
        said.push(text);
        const found = /Extension host agent listening on (\d+)/.exec(said.join(''));
        if (found) {
          clearTimeout(deadline);
          listens(Number(found[1]));
        }
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      child.on('exit', (code) => fails(new Error(`VS Code ended with ${code}:\n${said.join('')}`)));
      child.on('error', fails);
    });
    return new VSCode(child, port, said);
  }

  /** What it printed. */
  get output(): string {
    return this.said.join('');
  }

  /** Ends it, and waits for all that it started: they have its output too. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      const stubborn = setTimeout(() => this.process.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(stubborn);
    }
  }
}

/** Takes away what a test left. */
export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
