// The elements of the prompt's document, and how text gets into them: as text.

import { Prompt } from '../ids';
import type { PromptDocument, Segment } from '../prompt/document';
import { visible } from '../text/visible';

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the prompt has no element ${id}`);
  }
  return found;
}

export function button(id: string): HTMLButtonElement {
  const found = element(id);
  if (!(found instanceof HTMLButtonElement)) {
    throw new Error(`${id} is no button`);
  }
  return found;
}

export function input(id: string): HTMLInputElement {
  const found = element(id);
  if (!(found instanceof HTMLInputElement)) {
    throw new Error(`${id} is no input`);
  }
  return found;
}

export function dialog(id: string): HTMLDialogElement {
  const found = element(id);
  if (!(found instanceof HTMLDialogElement)) {
    throw new Error(`${id} is no dialog`);
  }
  return found;
}

/** Everything but the call's own text, which comes escaped, is made visible here. */
function make(tag: string, text: string, ...classes: readonly string[]): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = visible(text);
  made.classList.add(...classes);
  return made;
}

function segment({ text, escape, mark, asks, effects }: Segment): Node {
  if (escape !== true && mark !== true) {
    return document.createTextNode(text);
  }
  const made = document.createElement(mark === true ? 'mark' : 'span');
  if (escape === true) {
    made.classList.add('escape');
    made.title = 'a character that cannot be seen';
  }
  if (asks === true) {
    made.classList.add('asks');
    made.title = effects === undefined ? 'why you are asked' : `why you are asked: ${effects.join(', ')}`;
  } else if (effects !== undefined) {
    made.title = `causes ${effects.join(', ')}`;
  }
  made.append(text);
  return made;
}

/** Hides what stands around a list that is empty. */
function fill(id: string, children: readonly Node[]): void {
  const list = element(id);
  list.replaceChildren(...children);
  const section = list.closest('section');
  if (section !== null) {
    section.hidden = children.length === 0;
  }
}

export function setText(id: string, text: string): void {
  element(id).textContent = visible(text);
}

export function setHidden(id: string, hidden: boolean): void {
  element(id).hidden = hidden;
}

function label(id: string, text: string): void {
  const span = element(id).querySelector('span');
  if (span !== null) {
    span.textContent = text;
  }
}

export function setPosition(position: PromptDocument['position']): void {
  const nav = element(Prompt.position).closest('nav');
  if (nav !== null) {
    nav.hidden = position === undefined || position.of < 2;
  }
  setText(Prompt.position, position === undefined ? '' : `${position.number} of ${position.of}`);
}

/** Draws everything that a document says. */
export function draw(shown: PromptDocument): void {
  setText(Prompt.title, shown.title);
  setText(Prompt.why, `${shown.why.slice(0, 1).toUpperCase()}${shown.why.slice(1)}.`);
  setText(Prompt.detail, shown.detail);
  setText(Prompt.textLabel, shown.textLabel);
  setPosition(shown.position);
  element(Prompt.text).replaceChildren(...shown.text.map(segment));
  fill(
    Prompt.effects,
    shown.effects.map(({ text, asks }) => make('li', text, ...(asks ? ['asks'] : []))),
  );
  fill(
    Prompt.parts,
    shown.parts.map(({ text, fine, why }) => {
      const item = make('li', '', fine ? 'fine' : 'open');
      item.append(make('span', fine ? '✓' : '?', 'sign'), make('code', text), make('span', why, 'why'));
      return item;
    }),
  );
  fill(
    Prompt.facts,
    shown.facts.flatMap(({ label, value }) => [make('dt', label), make('dd', value)]),
  );
  label(Prompt.deny, shown.noLabel);
  label(Prompt.approve, shown.yesLabel);
  setHidden(Prompt.remember, shown.rules.length === 0);
  setHidden(Prompt.switchToDefault, !shown.offersSwitch);
  setHidden(Prompt.showChange, !shown.offersChange);
  setHidden(Prompt.explain, !shown.offersExplanation);
  setHidden(Prompt.message, !shown.offersMessage);
  input(Prompt.message).value = '';
}

/** The second step: each rule by itself, and where they go. */
export function drawConfirmation(shown: PromptDocument): void {
  element(Prompt.rules).replaceChildren(
    ...shown.rules.map((rule) => {
      const item = document.createElement('li');
      const box = document.createElement('input');
      box.type = 'checkbox';
      box.value = rule;
      // The confirmation of a single rule is the button.
      box.checked = shown.rules.length === 1;
      const named = document.createElement('label');
      named.append(box, make('code', rule));
      item.append(named);
      return item;
    }),
  );
  element(Prompt.scopes).replaceChildren(
    ...shown.scopes.map(({ value, label }, index) => {
      const choice = document.createElement('input');
      choice.type = 'radio';
      choice.name = 'scope';
      choice.value = value;
      choice.checked = index === 0;
      const named = document.createElement('label');
      named.append(choice, visible(label));
      return named;
    }),
  );
}

/** What is ticked in the second step. */
export function confirmed(): { rules: string[]; scope: string | undefined } {
  const boxes = [...element(Prompt.rules).querySelectorAll('input')];
  const scopes = [...element(Prompt.scopes).querySelectorAll('input')];
  return {
    rules: boxes.filter(({ checked }) => checked).map(({ value }) => value),
    scope: scopes.find(({ checked }) => checked)?.value,
  };
}
