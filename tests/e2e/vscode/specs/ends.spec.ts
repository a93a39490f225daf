// Approvals that end without an answer in the prompt: the prompt goes, and what
// waits behind it comes.

import { Agent } from '../rig/agent.ts';
import { expect, test } from '../rig/test.ts';

const FILES = { 'notes.txt': 'first\nsecond\n' };

test('a call that nobody waits for any more closes its prompt', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs('touch one');
  await (await editor.prompt()).asks('touch one');
  hook.isKilled();
  await editor.showsNoPrompt();
  await editor.says('default', 'none');
});

test('a call that was answered elsewhere makes room for the next one', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const first = agent.runs('touch one');
  const prompt = await (await editor.prompt()).asks('touch one');
  const second = agent.runs('touch two');
  await expect(prompt.part('position')).toContainText('1 of 2');
  await editor.opensViews();
  const entry = editor.entry('touch one').first();
  // A list that is drawn anew under the pointer swallows a click.
  await expect(async () => {
    await entry.hover({ timeout: 3_000 });
    await entry.getByRole('button', { name: 'Deny' }).click({ timeout: 3_000 });
    await expect(prompt.part('position')).not.toContainText('1 of 2', { timeout: 5_000 });
  }).toPass();
  await first.blocks();
  await prompt.asks('touch two');
  await expect(prompt.approve).toBeDisabled();
  second.waits();
  await prompt.approves();
  await second.allows();
});

test('a deadline is a no', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs('touch one', 8);
  await (await editor.prompt()).asks('touch one');
  await hook.blocks();
  await editor.showsNoPrompt();
});

test('a server that is killed blocks what waits, says so, and comes back', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  const hook = agent.runs('touch one');
  await (await editor.prompt()).asks('touch one');
  const server = editor.server();
  expect(server).toBeDefined();
  process.kill(server as number, 'SIGKILL');
  await editor.says('guard down', 'error');
  await editor.shows('down');
  await hook.blocks();
  await editor.showsNoPrompt();

  await editor.guards();
  const again = agent.runs('touch two');
  const prompt = await (await editor.prompt()).asks('touch two');
  await prompt.approves();
  await again.allows();
});

test('twenty calls at once are all shown and all answered', async ({ agent, folders, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt' });
  await editor.guards();
  // One session may have eight that wait.
  const agents = [agent, new Agent(folders), new Agent(folders)];
  try {
    const hooks = Array.from({ length: 20 }, (_, index) => agents[index % 3]?.runs(`touch file-${index}`));
    await editor.says(/\b20$/, 'warning');
    await expect(editor.badge).toHaveText('20');
    const prompt = await editor.prompt();
    await expect(prompt.part('position')).toContainText('of 20');
    await editor.opensViews();
    await editor.shows('twenty');
    await prompt.approves();
    await expect(prompt.part('position')).toHaveText('1 of 19');
    await editor.goesToApproval();
    // A press that counts is sometimes drawn only after the next one: fewer than
    // before is what there is to see, and not one less.
    let left = 19;
    while (left > 0) {
      const before = left;
      await editor.answers('n', async () => {
        await expect.poll(() => editor.waiting(), { timeout: 600 }).toBeLessThan(before);
        left = await editor.waiting();
      });
    }
    await editor.showsNoPrompt();
    const ends = await Promise.all(hooks.map(async (hook) => hook?.isAllowed()));
    expect(ends.filter(Boolean)).toHaveLength(1);
    expect(ends.filter((allowed) => allowed === false)).toHaveLength(19);
  } finally {
    for (const other of agents.slice(1)) {
      other.stop();
    }
  }
});
