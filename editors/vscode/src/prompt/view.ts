// What draws prompts, as the flow of approvals and questions sees it.

import type { FromPrompt, ToPrompt } from './messages';

export interface PromptView {
  /** Tells the web view; what it cannot hear yet is told when it is ready. */
  tell(message: ToPrompt): void;
  /** Brings it to the front, with the keyboard or without. */
  reveal(focus: boolean): void;
  /** Closes it; `onClosed` is not called. */
  close(): void;
}

export interface PromptViewEvents {
  readonly onMessage: (message: FromPrompt) => void;
  /** The person closed it. */
  readonly onClosed: () => void;
}

export type OpenPrompt = (title: string, focus: boolean, events: PromptViewEvents) => PromptView;
