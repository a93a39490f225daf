// The agent's story: sessions, decisions, the journal, and why.

import { expect, test } from '../rig/test.ts';

const FILES = { 'notes.txt': 'first\nsecond\n' };

test('sessions and decisions are listed, and each says why', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  await agent.callsTool('Read', { file_path: 'notes.txt' }).allows();
  const hook = agent.runs('touch made-by-the-agent');
  const prompt = await (await editor.prompt()).asks('touch made-by-the-agent');
  await prompt.deny.click();
  await hook.blocks();
  await editor.opensViews();
  await expect(editor.entry(`claude-code ${agent.session.slice(0, 6)}`)).toBeVisible();
  const entry = editor.entry(/touch made-by-the-agent/).last();
  await expect(entry).toBeVisible();
  await editor.shows('views');
  await entry.hover();
  await entry.getByRole('button', { name: /why/i }).click();
  await expect(editor.page.locator('.editor-instance').last()).toContainText(/a.person.said.no/);
  await editor.shows('why');
});

test('a session is a document that follows what happens', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  await agent.callsTool('Read', { file_path: 'notes.txt' }).allows();
  await editor.opensViews();
  const session = editor.entry(`claude-code ${agent.session.slice(0, 6)}`);
  await session.hover();
  await session.getByRole('button', { name: 'Show Session' }).click();
  const text = editor.page.locator('.editor-instance').first();
  await expect(text).toContainText(/claude-code/);
  const hook = agent.runs('touch seen-in-the-story');
  await expect(text).toContainText('seen-in-the-story');
  await editor.shows('session');
  const prompt = await (await editor.prompt()).asks('touch seen-in-the-story');
  await prompt.deny.click();
  await hook.blocks();
});

test('the tooltip tells counters, model and last decision', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  await agent.callsTool('Read', { file_path: 'notes.txt' }).allows();
  await editor.says('0/3 · 0/20');
  await editor.status.hover();
  const tooltip = editor.page.locator('.monaco-hover:visible');
  await expect(tooltip).toContainText('Last decision');
  await expect(tooltip).toContainText('none is configured');
  await expect(tooltip).toContainText('0/3 in a row');
  await editor.shows('tooltip');
});
