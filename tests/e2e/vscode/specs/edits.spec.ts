// An edit waits for a person: the file shows where, a diff shows what, and a
// code action answers.

import { join } from 'node:path';

import { expect, test } from '../rig/test.ts';

const FILES = { 'cart.ts': 'export function total(prices: number[]) {\n  let sum = 0;\n  for (const price of prices) sum += price;\n  return sum;\n}\n' };

test('an edit is shown at its line and as a diff, and a code action denies it', async ({ agent, folders, open }) => {
  const editor = await open({ files: FILES, file: 'cart.ts' });
  await editor.guards();
  const file = join(folders.workspace, 'cart.ts');
  const hook = agent.edits(file, '  return sum;', '  return Math.round(sum * 100) / 100;');
  const prompt = await (await editor.prompt()).asks('Math.round');

  const squiggle = editor.page.locator('.squiggly-warning, .squiggly-info, .squiggly-error, .squiggly-hint');
  await expect(squiggle.first()).toBeVisible();
  await prompt.part('showChange').click();
  const diff = editor.page.locator('.monaco-diff-editor');
  await expect(diff).toBeVisible();
  await expect(diff.locator('.editor.modified .view-line', { hasText: 'Math.round' })).toBeVisible();
  await expect(diff.locator('.editor.original .view-line', { hasText: 'return sum' })).toBeVisible();
  await editor.shows('diff');
  hook.waits();

  await editor.page.locator('.tab', { hasText: /^cart\.ts/ }).first().click();
  await editor.lines.filter({ hasText: 'return sum' }).first().click();
  await editor.presses('Control+.');
  const menu = editor.page.locator('.action-widget').first();
  await expect(menu).toContainText('Deny');
  await editor.shows('code-actions');
  // The first one, and so the one that Enter takes.
  await expect(menu.locator('.monaco-list-row.focused')).toHaveText(/^\s*Deny\s*$/);
  await editor.presses('Enter');
  await hook.blocks();
  await editor.showsNoPrompt();
});

test('what was blocked stays in view until it is dismissed', async ({ agent, folders, open }) => {
  const editor = await open({ files: FILES, file: 'cart.ts' });
  await editor.guards();
  await agent.writes(join(folders.workspace, '.countersign/settings.json'), '{}').blocks();
  await editor.opensViews();
  const entry = editor.entry(/\.countersign\/settings\.json/).first();
  await expect(entry).toBeVisible();
  await entry.hover();
  await editor.shows('blocked');
  await entry.getByRole('button', { name: 'Dismiss' }).click();
  await expect(entry.getByRole('button', { name: 'Dismiss' })).toBeHidden();
});
