// An agent that is an extension in the same VS Code: it asks, hears and waits,
// and can approve nothing.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '../rig/test.ts';

const EXAMPLE = join(__dirname, '../example-agent');

test('an agent in VS Code asks for permission and gets the decision, and cannot approve its own call', async ({ folders, open }) => {
  const editor = await open({ files: { 'notes.txt': 'first\n' }, file: 'notes.txt', extensions: [EXAMPLE], alone: true });
  await editor.guards();
  const told = (name: string): unknown => {
    const file = join(folders.workspace, name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  };

  await editor.runs('Example Agent: Run');
  const prompt = await (await editor.prompt()).asks('touch made-by-the-example');
  await expect(prompt.title).toContainText('generic');
  await expect(prompt.approve).toBeEnabled();
  await expect.poll(() => told('waiting.json')).toBe(1);

  await editor.runs('Example Agent: Attack');
  await expect.poll(() => told('attack.json'), { timeout: 90_000 }).toBeDefined();
  const attack = told('attack.json') as { reachable: string[]; frozen: boolean; ran: [string, string][] };
  expect(attack.frozen).toBe(true);
  expect(attack.ran.length).toBeGreaterThan(50);
  expect(attack.reachable.filter((name) => /nonce|client|connection|resolve|approve|grant|trust|setMode|consent/i.test(name))).toEqual([]);
  expect(told('decision.json')).toBeUndefined();
  // What it opened waits for the person.
  await editor.page.keyboard.press('Escape');
  await editor.says(/default/);
  expect(told('decision.json')).toBeUndefined();
  const own = await editor.goesToApproval('touch made-by-the-example');
  await own.approves();
  await expect.poll(() => told('decision.json')).toMatchObject({ decision: { decision: 'allow', reason: 'approval' }, heard: ['allow'] });
  await expect.poll(() => told('waiting.json')).toBe(0);
});
