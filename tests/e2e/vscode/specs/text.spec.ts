// What an agent writes is shown whole and as what it is.

import { expect, test } from '../rig/test.ts';

test('a command of 5,000 characters is shown whole, with what cannot be seen as escapes', async ({ agent, open }) => {
  const editor = await open({ files: { 'notes.txt': 'first\n' }, file: 'notes.txt' });
  await editor.guards();
  const hidden = 'echo \u202eevil\u202c \u001b[31mred\u001b[0m a\u200bb <b>bold</b> &amp; [link](command:x)';
  const middle = Array.from({ length: 560 }, (_, index) => `word-${index}`).join(' ');
  const command = `${hidden}\n${middle} && touch the-very-end`;
  expect(command.length).toBeGreaterThan(4900);
  const hook = agent.runs(command);
  const prompt = await (await editor.prompt()).asks('the-very-end');
  const text = await prompt.text.innerText();
  for (const shown of ['<U+202E>evil<U+202C>', '\\x1b[31mred\\x1b[0m', 'a<U+200B>b', '<b>bold</b> &amp; [link](command:x)', 'word-0 ', 'word-559 ', '&& touch the-very-end']) {
    expect(text).toContain(shown);
  }
  expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u001b]/);
  expect(await prompt.text.locator('a, b').count()).toBe(0);
  await editor.shows('long-command');

  // What was not on the screen is not approved.
  await expect(prompt.part('hint')).toContainText(/scroll/i);
  await expect(prompt.approve).toBeDisabled();
  await editor.goesToApproval();
  await editor.presses('y');
  await editor.answers('PageDown', () => expect(prompt.text).toHaveAttribute('data-whole', 'true', { timeout: 600 }));
  hook.waits();
  await prompt.approves();
  await hook.allows();
});
