// VS Code as a person sees it who has the extension: what is on the screen,
// and the keys and clicks that lead there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, type FrameLocator, type Locator, type Page } from '@playwright/test';

import { installed } from './installed.ts';
import { Prompt } from './prompt.ts';
import type { Folders } from './server.ts';

export class Editor {
  private constructor(
    readonly page: Page,
    private readonly folders: Folders,
  ) {}

  /** Opens the workspace, and waits until VS Code can be used. */
  static async open(page: Page, port: number, folders: Folders, file?: string): Promise<Editor> {
    const editor = new Editor(page, folders);
    const address = `vscode-remote://127.0.0.1:${port}${folders.workspace}/${file}`;
    const payload = file ? `&payload=${encodeURIComponent(JSON.stringify([['openFile', address]]))}` : '';
    await page.goto(`http://127.0.0.1:${port}/?folder=${folders.workspace}${payload}`);
    await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    return editor;
  }

  /** Puts away what a test before left on the screen, and opens a file. */
  async startsAnew(file?: string): Promise<void> {
    await this.page.keyboard.press('Escape');
    // Its agents are gone, and so is what they asked.
    await expect(this.status).not.toHaveClass(/\bwarning-kind\b/, { timeout: 60_000 });
    await this.runs('View: Close All Editors');
    await expect(this.page.locator('.editor-instance')).toHaveCount(0);
    await this.runs('Notifications: Clear All Notifications');
    await this.runs('View: Show Explorer');
    if (file) {
      await this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: file }).dblclick();
      await expect(this.lines.first()).toBeVisible();
    }
  }

  /** The extension's item in the status bar. */
  get status(): Locator {
    return this.page.locator('.statusbar-item[id^="countersign.countersign"]');
  }

  /** Waits until the status bar says so; `kind` is the colour behind it. */
  async says(text: string | RegExp, kind?: 'none' | 'warning' | 'error'): Promise<void> {
    await expect(this.status).toContainText(text, { timeout: 60_000 });
    if (kind === 'none') {
      await expect(this.status).not.toHaveClass(/\b(warning|error)-kind\b/);
    } else if (kind) {
      await expect(this.status).toHaveClass(new RegExp(`\\b${kind}-kind\\b`));
    }
  }

  /** Waits until the guard runs: from then on hooks find it. */
  async guards(mode = 'default'): Promise<void> {
    await this.says(mode);
    await expect.poll(() => this.server(), { message: 'a server that serves the workspace' }).toBeDefined();
  }

  /** The process of the server that serves the workspace, as it announces itself to hooks. */
  server(): number | undefined {
    const folder = join(this.folders.state, 'run');
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    for (const name of names.filter((one) => one.endsWith('.server.json'))) {
      const told = readFileSync(join(folder, name), 'utf8');
      if (told.includes(this.folders.workspace)) {
        return (JSON.parse(told) as { instance: { process: { pid: number } } }).instance.process.pid;
      }
    }
    return undefined;
  }

  /** The prompt that is in front, once there is one. */
  async prompt(): Promise<Prompt> {
    const prompt = new Prompt(this.webView());
    await expect(prompt.title).toBeVisible({ timeout: 60_000 });
    return prompt;
  }

  /** The prompt in which a text is asked about, where several are open. */
  async promptAbout(text: string): Promise<Prompt> {
    let found: Prompt | undefined;
    await expect(async () => {
      for (const frame of this.page.frames()) {
        const prompt = new Prompt(frame);
        if ((await prompt.text.filter({ hasText: text }).count()) > 0) {
          found = prompt;
        }
      }
      expect(found).toBeDefined();
    }).toPass();
    return found as Prompt;
  }

  /** No prompt is open. */
  async showsNoPrompt(timeout = 30_000): Promise<void> {
    await expect(this.page.locator('iframe.webview')).toHaveCount(0, { timeout });
  }

  /** How many calls wait for an answer, by what is drawn. */
  async waiting(): Promise<number> {
    if (await this.badge.isVisible()) {
      return Number(await this.badge.textContent({ timeout: 600 }));
    }
    await this.showsNoPrompt(300);
    return 0;
  }

  private webView(): FrameLocator {
    const outer = this.page.locator('iframe.webview.ready').filter({ visible: true });
    return outer.contentFrame().frameLocator('#active-frame');
  }

  /** The lines that an editor shows. */
  get lines(): Locator {
    return this.page.locator('.editor-instance .view-line');
  }

  /** Goes to the newest approval by the chord; from then on keys are for it. */
  async goesToApproval(about?: string): Promise<Prompt> {
    await this.presses('Control+K', 'Control+Y');
    const prompt = about ? await this.promptAbout(about) : await this.prompt();
    const hasKeyboard = (): Promise<boolean> =>
      prompt.deny.evaluate((deny) => document.hasFocus() && document.activeElement === deny);
    await expect.poll(hasKeyboard, { message: 'a prompt with the keyboard' }).toBe(true);
    return prompt;
  }

  /** Presses keys one after the other: a chord. */
  async presses(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.page.keyboard.press(key);
    }
  }

  /**
   * Presses a key in the prompt until it counts: as the prompt comes under a
   * person's hand, keys do not count for a moment.
   */
  async answers(key: string, happens: () => Promise<unknown>): Promise<void> {
    await expect(async () => {
      await this.page.keyboard.press(key);
      await happens();
    }).toPass({ intervals: [700], timeout: 30_000 });
  }

  /** Runs a command from the palette. */
  async runs(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type="text"]');
    // A window that is not ready yet swallows the key.
    await expect(async () => {
      await this.page.keyboard.press('F1');
      await expect(input).toBeVisible({ timeout: 2_000 });
    }).toPass({ intervals: [100], timeout: 30_000 });
    await input.fill(`>${title}`);
    await this.picks(title);
  }

  /** Picks an entry of the list that is open, by its label and with the keyboard. */
  async picks(label: string | RegExp): Promise<void> {
    const list = this.page.locator('.quick-input-widget .quick-input-list');
    const focused = list.locator('.monaco-list-row.focused .label-name');
    await expect(list.locator('.label-name', { hasText: label }).first()).toBeVisible();
    await expect(async () => {
      if ((await focused.filter({ hasText: label }).count()) === 0) {
        await this.page.keyboard.press('ArrowDown');
      }
      await expect(focused.filter({ hasText: label })).toHaveCount(1, { timeout: 500 });
    }).toPass({ intervals: [20] });
    await this.page.keyboard.press('Enter');
  }

  /** Chooses a mode, and agrees to what is asked about it. */
  async choosesMode(mode: string, asks?: string): Promise<void> {
    await this.runs('Countersign: Choose Mode');
    await this.picks(new RegExp(`^${mode}$`));
    if (asks) {
      const question = await (await this.prompt()).asks(asks);
      await question.approves();
    }
  }

  /** A message at the corner of the window. */
  message(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** The extension's symbol among those at the side. */
  private get symbol(): Locator {
    return this.page.locator('.activitybar').getByRole('tab', { name: /^Countersign/ });
  }

  /** Opens the extension's views. */
  async opensViews(): Promise<void> {
    if (!(await this.symbol.getAttribute('class'))?.includes('checked')) {
      await this.symbol.click();
    }
  }

  /** The number beside the extension's symbol. */
  get badge(): Locator {
    return this.symbol.locator('.badge-content');
  }

  /** Entries of the extension's views. */
  entry(text: string | RegExp): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text });
  }

  /** What the extension and its server logged, for people who read a failure. */
  logged(): string {
    const folder = this.folders.editor;
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /Countersign|remoteexthost\.log$/.test(name) && name.endsWith('.log'))
      .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8').slice(-4000)}`)
      .join('\n');
  }

  /** Keeps what is on the screen. */
  async shows(name: string): Promise<void> {
    await this.page.screenshot({ path: join(installed.shots, `${name}.png`) });
  }
}
