import { beforeEach, describe, expect, it } from 'vitest';

import { type Ask, questions } from '../src/prompt/questions';
import { Screen } from './support/view';

const QUESTION = { title: 'Use yolo?', why: 'it asks nothing', text: 'everything runs', textLabel: 'What', yesLabel: 'Yes' };

let now: number;
let screen: Screen;
let ask: Ask;

beforeEach(() => {
  now = 0;
  screen = new Screen();
  ask = questions(screen.open, () => now);
});

describe('a question', () => {
  it('is a yes only after it was read', async () => {
    const answer = ask(QUESTION);
    screen.choose('approve');
    expect(screen.notices).toHaveLength(1);
    screen.read();
    now += 500;
    screen.choose('approve');
    expect(await answer).toBe(true);
    expect(screen.isOpen).toBe(false);
  });

  it('is a no when it is closed', async () => {
    const answer = ask(QUESTION);
    screen.closeByPerson();
    expect(await answer).toBe(false);
  });

  it.each(['deny', 'remember', 'approve_and_switch_to_default'] as const)('is a no to %s', async (choice) => {
    const answer = ask(QUESTION);
    screen.read();
    now += 500;
    screen.choose(choice);
    expect(await answer).toBe(false);
  });

  it('is a no when another one takes its place', async () => {
    const first = ask(QUESTION);
    void ask(QUESTION);
    expect(await first).toBe(false);
  });
});
