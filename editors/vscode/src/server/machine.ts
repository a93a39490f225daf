// What the pure functions of this folder must know of the machine.

import * as fs from 'node:fs';
import * as os from 'node:os';

import * as vscode from 'vscode';

import type { Surroundings } from './locate';
import { serverPath } from './settings';

/** The canonical path of a file that may be executed. */
export function executable(file: string): string | undefined {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    const real = fs.realpathSync(file);
    return fs.statSync(real).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

function canonical(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The folders that are open and are folders of this machine. */
export function openFolders(): string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
}

export function surroundings(extensionFolder: string): Surroundings {
  return {
    setting: serverPath(),
    extensionFolder,
    searchPath: process.env['PATH'],
    home: os.homedir(),
    workspaceFolders: openFolders(),
    platform: process.platform,
    executable,
    canonical,
  };
}
