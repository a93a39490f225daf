// An agent that is an extension in the same VS Code: it asks, hears and waits,
// and can approve nothing.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '../rig/test.ts';
import type { Opening } from '../rig/desk.ts';

const OPENING: Opening = {
  files: { 'notes.txt': 'first\n' },
  file: 'notes.txt',
  extensions: [join(__dirname, '../example-agent')],
};

/** What the example wrote into the workspace. */
function told(workspace: string, name: string): unknown {
  const file = join(workspace, name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

test('an agent in VS Code asks for permission and gets the decision', async ({ folders, open }) => {
  const { workspace } = folders;
  const editor = await open({ ...OPENING, alone: true });
  await editor.guards();
  await editor.runs('Example Agent: Run');
  const prompt = await (await editor.prompt()).asks('touch made-by-the-example');
  await expect(prompt.title).toContainText('generic');
  await expect.poll(() => told(workspace, 'waiting.json')).toBe(1);
  expect(told(workspace, 'decision.json')).toBeUndefined();
  await prompt.approves();
  const allowed = { decision: { decision: 'allow', reason: 'approval' }, heard: ['allow'] };
  await expect.poll(() => told(workspace, 'decision.json')).toMatchObject(allowed);
  await expect.poll(() => told(workspace, 'waiting.json')).toBe(0);
});

test('an agent in VS Code cannot approve its own call', async ({ folders, open }) => {
  const { workspace } = folders;
  const editor = await open({ ...OPENING, alone: true });
  await editor.guards();
  await editor.runs('Example Agent: Run');
  await (await editor.prompt()).asks('touch made-by-the-example');
  await editor.runs('Example Agent: Attack');
  await expect.poll(() => told(workspace, 'attack.json'), { timeout: 90_000 }).toBeDefined();
  const attack = told(workspace, 'attack.json') as { reachable: string[]; frozen: boolean; ran: string[][] };
  expect(attack.frozen).toBe(true);
  expect(attack.ran.length).toBeGreaterThan(50);
  const acts = /nonce|client|connection|resolve|approve|grant|trust|setMode|consent/i;
  expect(attack.reachable.filter((name) => acts.test(name))).toEqual([]);

  // What it opened waits for the person, who says no.
  await editor.page.keyboard.press('Escape');
  await editor.says(/default.*1$/);
  expect(told(workspace, 'decision.json')).toBeUndefined();
  await editor.opensViews();
  const entry = editor.entry('touch made-by-the-example').first();
  await entry.hover();
  await entry.getByRole('button', { name: 'Deny' }).click();
  await expect.poll(() => told(workspace, 'decision.json')).toMatchObject({ decision: { decision: 'block' } });
  await editor.says('default');
});
