// Reads this extension's settings from VS Code: its own, and the layers that go
// to the server.

import * as vscode from 'vscode';
import * as v from 'valibot';

import { Setting } from '../ids';
import { type Inspected, type Layers, layers } from './layers';

/** Settings that never leave the extension. */
const OWN: readonly string[] = [Setting.serverPath, Setting.serverArguments, Setting.serverEnvironment, Setting.reveal];

const Manifest = v.object({
  contributes: v.object({
    configuration: v.array(
      v.object({ properties: v.record(v.string(), v.object({ scope: v.exactOptional(v.string()) })) }),
    ),
  }),
});

export interface Declared {
  readonly key: string;
  readonly scope: 'machine' | 'window' | 'resource';
}

/** The server's settings that a manifest declares, without the section before them. */
export function declared(manifest: unknown): Declared[] {
  const { contributes } = v.parse(Manifest, manifest);
  return contributes.configuration.flatMap(({ properties }) =>
    Object.entries(properties).flatMap(([name, { scope }]): Declared[] => {
      const key = name.slice(Setting.section.length + 1);
      if (OWN.includes(key)) {
        return [];
      }
      return [{ key, scope: scope === 'window' || scope === 'resource' ? scope : 'machine' }];
    }),
  );
}

/** What the server is sent. */
export function readLayers(manifest: unknown): Layers {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const settings = declared(manifest).map(({ key, scope }): Inspected => {
    const found = vscode.workspace.getConfiguration(Setting.section).inspect<unknown>(key);
    const ofFolder = (folder: vscode.WorkspaceFolder): unknown =>
      vscode.workspace.getConfiguration(Setting.section, folder.uri).inspect<unknown>(key)?.workspaceFolderValue;
    return {
      key,
      scope,
      user: found?.globalValue,
      workspace: found?.workspaceValue,
      folders: scope === 'resource' ? folders.map(ofFolder) : [],
    };
  });
  return layers(settings, vscode.workspace.isTrusted);
}

const Text = v.fallback(v.string(), '');
const Texts = v.fallback(v.array(v.string()), []);
const Variables = v.fallback(v.record(v.string(), v.string()), {});

/** A value that only the person may set; a folder's is never looked at. */
function ofUser(key: string): unknown {
  return vscode.workspace.getConfiguration(Setting.section).inspect<unknown>(key)?.globalValue;
}

export function serverPath(): string {
  return v.parse(Text, ofUser(Setting.serverPath));
}

export function serverArguments(): string[] {
  return v.parse(Texts, ofUser(Setting.serverArguments));
}

export function serverEnvironment(): Record<string, string> {
  return v.parse(Variables, ofUser(Setting.serverEnvironment));
}

/** Whether a new approval is shown by itself. */
export function reveals(): boolean {
  return ofUser(Setting.reveal) !== 'quiet';
}

/** Whether the server must be started anew after a change. */
export function concernsStart(change: vscode.ConfigurationChangeEvent): boolean {
  return [Setting.serverPath, Setting.serverArguments, Setting.serverEnvironment].some((key) =>
    change.affectsConfiguration(`${Setting.section}.${key}`),
  );
}
