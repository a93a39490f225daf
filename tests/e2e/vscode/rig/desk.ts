// A person's desk: one home, one workspace, one VS Code. Opening VS Code takes
// longer than most tests, so tests that open it alike share a desk.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Browser, BrowserContext } from '@playwright/test';

import { Editor } from './editor.ts';
import { installed } from './installed.ts';
import { environment, remove, VSCode, withOthers, type Folders } from './server.ts';

/** How VS Code is opened. */
export interface Opening {
  /** Files of the workspace, by name, and their content. */
  files?: Record<string, string>;
  /** What the person has set. */
  settings?: object;
  /** Arguments of the server. */
  serverArguments?: string[];
  /** A file of the workspace to begin with. */
  file?: string;
  /** Names of the files that can be run. */
  programs?: string[];
  /** Folders of other extensions. */
  extensions?: string[];
  /** What this test leaves is not for another one. */
  alone?: true;
}

/** Where everything is. */
export function places(): Folders {
  const person = join(installed.folder, 'ada');
  return {
    person,
    workspace: join(person, 'shop'),
    state: join(person, '.local/state/countersign'),
    editor: join(installed.folder, 'code'),
  };
}

interface Open {
  readonly opening: string;
  readonly vscode: VSCode;
  readonly context: BrowserContext;
  readonly editor: Editor;
}

export class Desk {
  private open: Open | undefined;

  constructor(
    private readonly browser: Browser,
    private readonly extensions: string,
  ) {}

  /** VS Code, opened so; the one that is open if it was opened so. */
  async opens(opening: Opening): Promise<Editor> {
    const { files, file, alone, ...same } = opening;
    const key = JSON.stringify(same);
    if (this.open && (alone || this.open.opening !== key)) {
      await this.clear();
    }
    const folders = places();
    if (this.open) {
      write(folders, opening);
      await this.open.editor.startsAnew(file);
      return this.open.editor;
    }
    for (const one of [folders.person, folders.editor]) {
      remove(one);
      mkdirSync(one, { recursive: true });
    }
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', folders.workspace], { env: environment(folders) });
    write(folders, opening);
    const others = join(folders.editor, 'extensions');
    const all = opening.extensions
      ? withOthers(this.extensions, others, opening.extensions)
      : this.extensions;
    const arguments_ = { 'countersign.server.arguments': opening.serverArguments ?? [] };
    const vscode = await VSCode.start(folders, all, { ...arguments_, ...opening.settings });
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 } });
    const editor = await Editor.open(await context.newPage(), vscode.port, folders, file);
    this.open = { opening: alone ? 'of one test' : key, vscode, context, editor };
    return editor;
  }

  /** The VS Code that is open. */
  get editor(): Editor | undefined {
    return this.open?.editor;
  }

  /** Closes VS Code. The editor goes first: hooks then see a server that ends. */
  async clear(): Promise<void> {
    await this.open?.context.close();
    await this.open?.vscode.stop();
    this.open = undefined;
  }
}

function write(folders: Folders, { files = {}, programs = [] }: Opening): void {
  rmSync(join(folders.workspace, '.countersign'), { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(folders.workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: programs.includes(name) ? 0o755 : 0o644 });
  }
}
