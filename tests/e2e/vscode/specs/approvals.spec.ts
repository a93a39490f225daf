// A command waits for a person: who sees it, approves it by a click or by keys,
// or goes on working.

import { expect, test } from '../rig/test.ts';

const COMMAND = 'touch made-by-the-agent';
const FILES = { 'notes.txt': 'first\nsecond\n' };

test('a call that waits is in the status bar, and a click approves it', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  await editor.says('default', 'none');

  const hook = agent.runs(COMMAND);
  const prompt = await editor.prompt();
  await prompt.asks(COMMAND);
  await editor.says(/default\s+0\/3 · 0\/20\s+1/, 'warning');
  await expect(editor.badge).toHaveText('1');
  await expect(prompt.title).toContainText('claude-code');
  await expect(prompt.effects).toContainText('made-by-the-agent');
  await expect(prompt.approve).toBeEnabled();
  await editor.shows('approval');
  hook.waits();

  await prompt.approves();
  await hook.allows();
  await editor.showsNoPrompt();
  await editor.says('default', 'none');
  await expect(editor.badge).toBeHidden();
});

test('a chord leads to the newest call, and a key approves it', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs(COMMAND);
  const prompt = await (await editor.prompt()).asks(COMMAND);
  await expect(prompt.approve).toBeEnabled();
  await editor.goesToApproval();
  hook.waits();
  await editor.answers('y', () => editor.showsNoPrompt(600));
  await hook.allows();
});

test('a key denies, and the agent is told so', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs(COMMAND);
  await (await editor.prompt()).asks(COMMAND);
  await editor.goesToApproval();
  await editor.answers('n', () => editor.showsNoPrompt(600));
  expect(await hook.blocks()).toContain('a person said no');
});

test('who types while an agent asks loses no key and approves nothing', async ({ agent, open }) => {
  const editor = await open({ files: { 'notes.txt': '' }, file: 'notes.txt' });
  await editor.guards();
  await editor.lines.first().click();
  const typed = 'yes, yes: y is what I type, and n, and y again. ';
  await editor.page.keyboard.type(typed);
  const hook = agent.runs(COMMAND);
  let text = typed;
  const prompt = editor.prompt();
  let isShown = false;
  void prompt.then(() => (isShown = true));
  // Over the moment in which the prompt appears, and after it.
  for (let after = 0; after < 2; ) {
    await editor.page.keyboard.type('yny ', { delay: 20 });
    text += 'yny ';
    after += isShown ? 1 : 0;
  }
  await editor.page.keyboard.press('Enter');
  await (await prompt).asks(COMMAND);
  await expect(editor.lines.first()).toHaveText(text.trimEnd().replaceAll(' ', '\u00a0'), { useInnerText: true });
  hook.waits();
  await (await prompt).deny.click();
  await hook.blocks();
});

test('closing the prompt is a no', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs(COMMAND);
  await (await editor.prompt()).asks(COMMAND);
  await editor.goesToApproval();
  await editor.page.locator('.tab', { hasText: 'Approval' }).getByRole('button', { name: /^Close/ }).click();
  await hook.blocks();
  await editor.says('default', 'none');
});

test('a rule that is remembered spares the next question', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs(COMMAND);
  const prompt = await (await editor.prompt()).asks(COMMAND);
  await expect(prompt.part('remember')).toBeEnabled();
  await prompt.part('remember').click();
  hook.waits();
  await expect(prompt.part('confirm')).toContainText('Bash(touch');
  await expect(prompt.part('confirmYes')).toBeEnabled();
  await editor.shows('remember');
  await prompt.part('confirmYes').click();
  await hook.allows();
  await agent.runs(COMMAND).allows();
});
