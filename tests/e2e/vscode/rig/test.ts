// What every test has: a workspace, an agent, and VS Code with the extension.

import { join } from 'node:path';

import { test as base } from '@playwright/test';

import { Agent } from './agent.ts';
import { Desk, places, type Opening } from './desk.ts';
import type { Editor } from './editor.ts';
import { installed } from './installed.ts';
import { installPackage, type Folders } from './server.ts';

interface Each {
  folders: Folders;
  agent: Agent;
  /** Opens VS Code, once for each test. */
  open: (opening?: Opening) => Promise<Editor>;
}

interface Once {
  desk: Desk;
}

export const test = base.extend<Each, Once>({
  desk: [
    async ({ browser }, use) => {
      const desk = new Desk(browser, await installPackage(join(installed.folder, 'installed')));
      await use(desk);
      await desk.clear();
    },
    { scope: 'worker', timeout: 180_000 },
  ],

  folders: async ({}, use) => {
    await use(places());
  },

  open: async ({ desk }, use, info) => {
    await use((opening = {}) => desk.opens(opening));
    if (info.status !== info.expectedStatus) {
      console.log(desk.editor?.logged() ?? 'VS Code was not opened');
      await desk.editor?.shows(`failed-${info.title.replace(/\W+/g, '-')}`).catch(() => {});
      await desk.clear();
    }
  },

  agent: async ({ folders }, use) => {
    const agent = new Agent(folders);
    await use(agent);
    agent.stop();
  },
});

export { expect } from '@playwright/test';
