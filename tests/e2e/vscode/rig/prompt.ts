// The extension's prompt, as a person reads and answers it.

import { expect, type Frame, type FrameLocator, type Locator } from '@playwright/test';

import { Prompt as Ids } from '../../../../editors/vscode/src/ids.ts';

export class Prompt {
  constructor(private readonly frame: Frame | FrameLocator) {}

  /** A part of the prompt, by its id. */
  part(name: keyof typeof Ids): Locator {
    return this.frame.locator(`#${Ids[name]}`);
  }

  get title(): Locator {
    return this.part('title');
  }

  get text(): Locator {
    return this.part('text');
  }

  get effects(): Locator {
    return this.part('effects');
  }

  get approve(): Locator {
    return this.part('approve');
  }

  get deny(): Locator {
    return this.part('deny');
  }

  /** The prompt in which a text is asked about. */
  async asks(text: string): Promise<this> {
    await expect(this.text).toContainText(text, { timeout: 60_000 });
    return this;
  }

  /** Approves by a click, as soon as the prompt takes one. */
  async approves(): Promise<void> {
    await expect(this.approve).toBeEnabled();
    await this.approve.click();
  }
}
