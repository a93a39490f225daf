// What every test has: a workspace, an agent, and VS Code with the extension.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { test as base } from '@playwright/test';

import { Agent } from './agent.ts';
import { Editor } from './editor.ts';
import { installed } from './installed.ts';
import { installPackage, remove, VSCode, withOthers, type Folders } from './server.ts';

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
  /** What else is done to the files before VS Code starts. */
  prepare?: () => void;
  /** Folders of other extensions. */
  extensions?: string[];
}

interface Each {
  folders: Folders;
  agent: Agent;
  /** Opens VS Code, once for each test. */
  open: (opening?: Opening) => Promise<Editor>;
}

interface Once {
  /** Where the package is installed. */
  package: string;
}

export const test = base.extend<Each, Once>({
  package: [
    async ({}, use) => {
      const folder = join(installed.folder, 'installed');
      await use(await installPackage(folder));
      remove(folder);
    },
    { scope: 'worker', timeout: 180_000 },
  ],

  folders: async ({}, use) => {
    const person = join(installed.folder, 'ada');
    const folders = {
      person,
      workspace: join(person, 'shop'),
      state: join(person, '.local/state/countersign'),
      editor: join(installed.folder, 'code'),
    };
    // Each test has a person who never used Countersign.
    for (const one of [person, folders.editor]) {
      remove(one);
    }
    for (const one of [join(folders.workspace, '.git'), folders.editor]) {
      mkdirSync(one, { recursive: true });
    }
    await use(folders);
  },

  agent: async ({ folders }, use) => {
    const agent = new Agent(folders);
    await use(agent);
    agent.stop();
  },

  open: async ({ folders, package: extensions, browser, agent }, use, info) => {
    void agent;
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    let editor: Editor | undefined;
    let vscode: VSCode | undefined;
    await use(async (opening = {}) => {
      for (const [name, text] of Object.entries(opening.files ?? {})) {
        const path = join(folders.workspace, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
      opening.prepare?.();
      const words = opening.serverArguments ?? [];
      const settings = { 'countersign.server.arguments': words, ...opening.settings };
      const others = join(folders.editor, 'extensions');
      const all = opening.extensions ? withOthers(extensions, others, opening.extensions) : extensions;
      vscode = await VSCode.start(folders, all, settings);
      editor = await Editor.open(await context.newPage(), vscode.port, folders, opening.file);
      return editor;
    });
    if (info.status !== info.expectedStatus) {
      await editor?.shows(`failed-${info.title.replace(/\W+/g, '-')}`).catch(() => {});
      console.log(editor?.logged() ?? '');
    }
    // The editor goes first: the agent's hooks then see a server that ends.
    await context.close();
    await vscode?.stop();
  },
});

export { expect } from '@playwright/test';
