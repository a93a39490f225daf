// VS Code as a person sees it who has the extension: what is on the screen,
// and the keys and clicks that lead there.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, type FrameLocator, type Locator, type Page } from '@playwright/test';

import { installed } from './installed.ts';
import type { Folders } from './server.ts';

export class Editor {
  private constructor(
    readonly page: Page,
    private readonly folders: Folders,
  ) {}

  /** Opens the workspace, and waits until the extension's server runs. */
  static async open(page: Page, port: number, folders: Folders, file?: string): Promise<Editor> {
    const editor = new Editor(page, folders);
    const address = `vscode-remote://127.0.0.1:${port}${folders.workspace}/${file}`;
    const payload = file ? `&payload=${encodeURIComponent(JSON.stringify([['openFile', address]]))}` : '';
    await page.goto(`http://127.0.0.1:${port}/?folder=${folders.workspace}${payload}`);
    await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    return editor;
  }

  /** The extension's item in the status bar. */
  get status(): Locator {
    return this.page.locator('.statusbar-item[id^="countersign.countersign"]');
  }

  /** What the extension and its server logged, for people who read a failure. */
  logged(): string {
    const folder = join(this.folders.editor, 'server/data/logs');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files
      .filter((name) => /ountersign|exthost\.log/.test(name) && name.endsWith('.log'))
      .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8').slice(-4000)}`)
      .join('\n');
  }

  /** Keeps what is on the screen. */
  async shows(name: string): Promise<void> {
    await this.page.screenshot({ path: join(installed.shots, `${name}.png`) });
  }
}
