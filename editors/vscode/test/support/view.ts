// A prompt that nobody draws: the test plays the person in front of it.

import type { PromptDocument } from '../../src/prompt/document';
import type { FromPrompt, ToPrompt } from '../../src/prompt/messages';
import type { OpenPrompt, PromptViewEvents } from '../../src/prompt/view';

export class Screen {
  readonly told: ToPrompt[] = [];
  readonly reveals: boolean[] = [];
  opened = 0;
  isOpen = false;
  private events: PromptViewEvents | undefined;

  readonly open: OpenPrompt = (_title, focus, events) => {
    this.opened += 1;
    this.isOpen = true;
    this.reveals.push(focus);
    this.events = events;
    return {
      tell: (message) => {
        this.told.push(message);
      },
      reveal: (focused) => {
        this.reveals.push(focused);
      },
      close: () => {
        this.isOpen = false;
      },
    };
  };

  /** What is on the screen. */
  get document(): PromptDocument {
    const shown = this.told.findLast((message) => message.kind === 'show');
    if (shown === undefined) {
      throw new Error('nothing is shown');
    }
    return shown.document;
  }

  get notices(): string[] {
    return this.told.flatMap((message) => (message.kind === 'notice' ? [message.text] : []));
  }

  say(message: FromPrompt): void {
    this.events?.onMessage(message);
  }

  /** It came onto the screen, and all of its text. */
  read(): void {
    const { ticket } = this.document;
    this.say({ kind: 'shown', ticket });
    this.say({ kind: 'whole', ticket });
  }

  choose(choice: 'deny' | 'approve' | 'remember' | 'approve_and_switch_to_default', more: object = {}): void {
    this.say({ kind: 'choose', ticket: this.document.ticket, choice, ...more });
  }

  closeByPerson(): void {
    this.isOpen = false;
    this.events?.onClosed();
  }
}
