// What is denied is counted against its caps, in view, and at a cap a person is
// asked.

import { join } from 'node:path';

import { Model } from '../rig/model.ts';
import { expect, test } from '../rig/test.ts';

const FILES = { 'notes.txt': 'first\nsecond\n' };

test('three blocks in auto mode are counted in view, and the next call asks', async ({ agent, folders, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt', settings: { 'countersign.tools.approvalMode': 'auto' } });
  await editor.guards('auto');
  const guarded = join(folders.workspace, '.countersign/settings.json');
  for (const count of [1, 2, 3]) {
    await agent.writes(guarded, `{ "permissions": { "allow": ["Bash(number ${count})"] } }`).blocks();
    await editor.says(`${count}/3 · ${count}/20`);
  }
  const hook = agent.runs('git push origin main');
  const prompt = await (await editor.prompt()).asks('git push origin main');
  await expect(prompt.part('why')).toContainText('in a row');
  await expect(prompt.part('facts')).toContainText('3 of 3');
  await editor.says(/3\/3 · 3\/20\s+1/, 'warning');
  await editor.shows('cap');
  await prompt.approves();
  await hook.allows();
  await editor.says(/0\/3 · 3\/20/, 'none');
});

test('what a model blocked can be allowed once, after a confirmation', async ({ agent, open }) => {
  const model = await Model.blocks('it publishes what nobody asked to publish');
  try {
    const editor = await open({
      files: FILES,
      file: 'notes.txt',
      settings: { 'countersign.tools.approvalMode': 'auto', ...model.settings },
    });
    await editor.guards('auto');
    expect(await agent.runs('git push origin main').blocks()).toContain('it publishes');
    await editor.says('1/3 · 1/20');
    await editor.opensViews();
    const entry = editor.entry(/git push origin main/).first();
    await entry.click({ button: 'right' });
    const allow = editor.page.locator('.monaco-menu .action-item', { hasText: /^Allow This Exact Call Once/ });
    await allow.hover();
    await expect(allow).toHaveClass(/focused/);
    await editor.presses('Enter');
    const question = await (await editor.prompt()).asks('git push origin main');
    await editor.shows('grant');
    await question.approves();
    await editor.showsNoPrompt();
    await agent.runs('git push origin main').allows();
    // Exactly once.
    await agent.runs('git push origin main').blocks();
  } finally {
    model.stop();
  }
});

test('auto mode is chosen from the status bar, after its notice', async ({ agent, open }) => {
  const editor = await open({ files: FILES, file: 'notes.txt', alone: true });
  await editor.guards();
  await editor.status.click();
  await expect(editor.page.locator('.quick-input-widget')).not.toContainText(/pause/i);
  await editor.shows('menu');
  await editor.picks(/mode/i);
  await editor.picks(/^auto$/);
  const notice = await (await editor.prompt()).asks('In auto mode calls are decided without asking');
  await expect(notice.approve).toBeEnabled();
  await editor.shows('auto-notice');
  await notice.approves();
  await editor.says('auto');
  await editor.status.click();
  await editor.picks(/mode/i);
  await editor.picks(/^plan$/);
  await editor.says('plan');
  await agent.runs('touch made-by-the-agent').blocks();
});
