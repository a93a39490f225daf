// The script of the prompt: draws what it is told, and says what the person
// does. It knows no nonce, and what it says counts only if the extension agrees.

import { Prompt, PromptKey } from '../ids';
import type { PromptDocument } from '../prompt/document';
import type { ToPrompt } from '../prompt/messages';
import { button, confirmed, dialog, draw, drawConfirmation, element, input, setHidden, setPosition, setText } from './page';
import { Seen } from './seen';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

/** As in `prompt/gate.ts`, which decides. In milliseconds. */
const TOO_SOON = 500;

const vscode = acquireVsCodeApi();

/** One showing of a document. */
interface Showing {
  readonly document: PromptDocument;
  readonly seen: Seen;
  readonly until: number | undefined;
  isRipe: boolean;
  isWhole: boolean;
  isAnswering: boolean;
}

let showing: Showing | undefined;
/** Keys count from here on: whoever types on as the prompt gets the keyboard means something else. */
let quietUntil = 0;

function mayApprove(): boolean {
  return showing !== undefined && showing.isRipe && showing.isWhole && !showing.isAnswering;
}

function refresh(): void {
  if (showing === undefined) {
    return;
  }
  const may = mayApprove();
  for (const id of [Prompt.approve, Prompt.remember, Prompt.switchToDefault]) {
    button(id).disabled = !may;
  }
  button(Prompt.deny).disabled = showing.isAnswering;
  button(Prompt.confirmYes).disabled = !may || confirmed().rules.length === 0;
  element(Prompt.text).dataset['whole'] = String(showing.isWhole);
  setText(Prompt.hint, hint(showing));
}

function hint({ isWhole, isAnswering, seen, until }: Showing): string {
  if (isAnswering) {
    return 'Answering…';
  }
  if (!isWhole) {
    return `Scroll to the end to approve: ${Math.floor(seen.part * 100)} % was shown.`;
  }
  if (until === undefined) {
    return '';
  }
  const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
  const time = seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`;
  return `Without an answer it is denied in ${time}.`;
}

/** Looks how much of the text is on the screen. */
function look(): void {
  if (showing === undefined || showing.isWhole || document.visibilityState !== 'visible') {
    return;
  }
  const text = element(Prompt.text).getBoundingClientRect();
  const footer = document.querySelector('footer')?.getBoundingClientRect();
  const bottom = footer?.top ?? window.innerHeight;
  if (text.height <= 0 || bottom <= text.top) {
    return;
  }
  showing.seen.look(Math.max(0, -text.top) / text.height, Math.min(1, (bottom - text.top) / text.height));
  if (showing.seen.isWhole) {
    showing.isWhole = true;
    vscode.postMessage({ kind: 'whole', ticket: showing.document.ticket });
  }
  refresh();
}

/** Counts the time only while it is on the screen. */
function ripen(shown: Showing): void {
  if (document.visibilityState !== 'visible') {
    return;
  }
  requestAnimationFrame(() => {
    vscode.postMessage({ kind: 'shown', ticket: shown.document.ticket });
    setTimeout(() => {
      shown.isRipe = true;
      refresh();
    }, TOO_SOON + 20);
    look();
  });
}

function show(shown: PromptDocument): void {
  const confirmation = dialog(Prompt.confirm);
  if (confirmation.open) {
    confirmation.close();
  }
  showing = {
    document: shown,
    seen: new Seen(),
    until: shown.remaining === undefined ? undefined : performance.now() + shown.remaining,
    isRipe: false,
    isWhole: false,
    isAnswering: false,
  };
  notice(shown.notice ?? '');
  draw(shown);
  document.body.hidden = false;
  window.scrollTo(0, 0);
  quiet();
  refresh();
  ripen(showing);
  if (document.hasFocus()) {
    button(Prompt.deny).focus();
  }
}

function notice(text: string): void {
  setText(Prompt.notice, text);
  setHidden(Prompt.notice, text === '');
}

function quiet(): void {
  quietUntil = performance.now() + TOO_SOON;
}

function choose(choice: string, more: Record<string, unknown> = {}): void {
  if (showing === undefined || showing.isAnswering) {
    return;
  }
  if (choice !== 'deny' && !mayApprove()) {
    refresh();
    return;
  }
  vscode.postMessage({ kind: 'choose', ticket: showing.document.ticket, choice, ...more });
}

function deny(): void {
  const message = input(Prompt.message).value.trim();
  choose('deny', message === '' ? {} : { message });
}

function remember(): void {
  if (showing !== undefined && showing.document.rules.length > 0 && mayApprove()) {
    drawConfirmation(showing.document);
    dialog(Prompt.confirm).showModal();
    button(Prompt.confirmNo).focus();
    refresh();
  }
}

function inspect(at: 'change' | 'explanation', offered: boolean): void {
  if (showing !== undefined && offered) {
    vscode.postMessage({ kind: 'look', ticket: showing.document.ticket, at });
  }
}

function move(by: -1 | 1): void {
  if (showing?.document !== undefined) {
    vscode.postMessage({ kind: 'move', ticket: showing.document.ticket, by });
  }
}

const ACTS: Readonly<Record<string, () => void>> = {
  [PromptKey.deny]: deny,
  [PromptKey.approve]: () => {
    choose('approve');
  },
  [PromptKey.remember]: remember,
  [PromptKey.switchToDefault]: () => {
    if (showing?.document.offersSwitch === true) {
      choose('approve_and_switch_to_default');
    }
  },
  [PromptKey.showChange]: () => {
    inspect('change', showing?.document.offersChange === true);
  },
  [PromptKey.explain]: () => {
    inspect('explanation', showing?.document.offersExplanation === true);
  },
  [PromptKey.previous]: () => {
    move(-1);
  },
  [PromptKey.next]: () => {
    move(1);
  },
};

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) {
    return;
  }
  const isTyping = event.target === element(Prompt.message);
  if (isTyping && event.key === 'Enter') {
    event.preventDefault();
    deny();
    return;
  }
  if (isTyping && event.key === 'Escape') {
    button(Prompt.deny).focus();
    return;
  }
  if (isTyping || dialog(Prompt.confirm).open) {
    return;
  }
  // Enter and space press the button that has the focus; they wait like the letters.
  const act = ACTS[event.key];
  const presses = (event.key === 'Enter' || event.key === ' ') && event.target instanceof HTMLButtonElement;
  if (act === undefined && !presses) {
    return;
  }
  if (event.repeat || performance.now() < quietUntil) {
    event.preventDefault();
    quiet();
    return;
  }
  if (act !== undefined) {
    event.preventDefault();
    act();
  }
}

/** What the extension says; its own messages are the only ones that reach this page. */
function isToPrompt(value: unknown): value is ToPrompt {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function heard(message: ToPrompt): void {
  switch (message.kind) {
    case 'show':
      show(message.document);
      break;
    case 'position':
      setPosition({ number: message.number, of: message.of });
      break;
    case 'notice':
      notice(message.text);
      break;
    case 'answering':
      if (showing !== undefined) {
        showing.isAnswering = message.answering;
        refresh();
      }
      break;
  }
}

function press(id: string, act: () => void): void {
  button(id).addEventListener('click', (event) => {
    // A click is a person's, made by a pointer or a key.
    if (event.isTrusted) {
      act();
    }
  });
}

press(Prompt.deny, deny);
press(Prompt.approve, () => {
  choose('approve');
});
press(Prompt.remember, remember);
press(Prompt.switchToDefault, () => {
  choose('approve_and_switch_to_default');
});
press(Prompt.showChange, () => {
  inspect('change', true);
});
press(Prompt.explain, () => {
  inspect('explanation', true);
});
press(Prompt.previous, () => {
  move(-1);
});
press(Prompt.next, () => {
  move(1);
});
press(Prompt.confirmNo, () => {
  dialog(Prompt.confirm).close();
  button(Prompt.deny).focus();
});
press(Prompt.confirmYes, () => {
  const { rules, scope } = confirmed();
  choose('remember', { rules, ...(scope !== undefined && { scope }) });
});
element(Prompt.rules).addEventListener('change', refresh);
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (isToPrompt(data)) {
    heard(data);
  }
});
window.addEventListener('keydown', onKey);
window.addEventListener('focus', () => {
  quiet();
  if (document.activeElement === document.body || document.activeElement === null) {
    button(Prompt.deny).focus();
  }
});
window.addEventListener('scroll', look, { passive: true });
window.addEventListener('resize', look);
document.addEventListener('visibilitychange', () => {
  if (showing !== undefined && !showing.isRipe) {
    ripen(showing);
  }
  look();
});
setInterval(refresh, 1000);
vscode.postMessage({ kind: 'ready' });
