import { expect, test } from '../rig/test.ts';

test('probe', async ({ open }) => {
  const editor = await open({ files: { 'a.txt': 'one\ntwo\n' }, file: 'a.txt' });
  await expect(editor.page.locator('.view-line').first()).toContainText('one');
  await editor.shows('probe');
});
