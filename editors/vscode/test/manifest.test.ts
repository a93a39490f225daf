import * as fs from 'node:fs';
import * as path from 'node:path';

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { Command, EXTENSION_ID, Setting, View } from '../src/ids';
import { ServerCommand } from '../src/protocol/messages';
import { properties as settings } from './support/settings';

const ROOT = path.resolve(import.meta.dirname, '..');
const Manifest = v.object({
  name: v.string(),
  publisher: v.string(),
  activationEvents: v.array(v.string()),
  contributes: v.object({
    commands: v.array(v.object({ command: v.string() })),
    keybindings: v.array(v.object({ command: v.string(), key: v.string(), when: v.string() })),
    views: v.object({ countersign: v.array(v.object({ id: v.string() })) }),
    menus: v.record(v.string(), v.array(v.object({ command: v.string() }))),
    walkthroughs: v.array(v.object({ steps: v.array(v.object({ media: v.object({ markdown: v.string() }) })) })),
    configuration: v.array(
      v.object({ properties: v.record(v.string(), v.looseObject({ scope: v.string() })) }),
    ),
  }),
});
const FILE = path.join(ROOT, 'package.json');
const text = fs.readFileSync(FILE, 'utf8');
const manifest = v.parse(Manifest, JSON.parse(text));
const { contributes } = manifest;
const properties = contributes.configuration[0]?.properties ?? {};

/** What `docs/settings.md` says, and what is the extension's own. */
function expected(): Record<string, unknown> {
  const page = fs.readFileSync(path.resolve(ROOT, '../../docs/settings.md'), 'utf8');
  const { section, ...own } = Setting;
  const kept = Object.values(own).map((key): [string, unknown] => [`${section}.${key}`, properties[`${section}.${key}`]]);
  return { ...Object.fromEntries(kept), ...settings(page) };
}

/** Writes the settings, when it is asked to. */
function update(): void {
  const whole = v.parse(v.looseObject({ contributes: v.looseObject({}) }), JSON.parse(text));
  const [first] = v.parse(v.array(v.looseObject({})), whole.contributes['configuration']);
  whole.contributes['configuration'] = [{ ...first, properties: expected() }];
  fs.writeFileSync(FILE, `${JSON.stringify(whole, null, 2)}\n`);
}

describe('package.json', () => {
  it('declares the commands and views that the source names, and no others', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(Object.values(Command).sort());
    const { container: _, ...views } = View;
    expect(contributes.views.countersign.map(({ id }) => id).sort()).toEqual(Object.values(views).sort());
    expect(`${manifest.publisher}.${manifest.name}`).toBe(EXTENSION_ID);
  });

  it('has no command of the names that the server registers', () => {
    const servers: readonly string[] = Object.values(ServerCommand);
    expect(contributes.commands.filter(({ command }) => servers.includes(command))).toEqual([]);
  });

  it('has menus for commands that exist', () => {
    const commands = new Set(contributes.commands.map(({ command }) => command));
    const named = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map(({ command }) => command);
    expect(named.filter((command) => !commands.has(command))).toEqual([]);
  });

  it('binds no key but where something waits', () => {
    expect(contributes.keybindings.map(({ when }) => when)).toEqual(['countersign.waiting']);
  });

  it('offers the settings of docs/settings.md (else run UPDATE_DOCS=1 npm test)', () => {
    if (process.env['UPDATE_DOCS'] === '1') {
      update();
      return;
    }
    expect(Object.keys(expected()).length).toBeGreaterThan(35);
    expect(properties).toEqual(expected());
  });

  it.each([
    'server.path',
    'server.arguments',
    'server.environment',
    'tools.approvalMode',
    'import',
    'permissions.autoMode.classifier.baseUrl',
    'permissions.autoMode.classifier.proxy',
    'permissions.autoMode.classifier.apiKeyEnv',
  ])('leaves %s to the machine', (key) => {
    expect(properties[`countersign.${key}`]?.scope).toBe('machine');
  });

  it('has the pages that its walkthrough shows', () => {
    const pages = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown));
    expect(pages.length).toBeGreaterThan(0);
    for (const page of pages) {
      expect(fs.statSync(path.join(ROOT, page)).size).toBeGreaterThan(100);
    }
  });

  it('offers nowhere to pause or switch off the guard', () => {
    expect(text).not.toMatch(/\b(pause|disable) (the )?(guard|countersign)/i);
  });
});
