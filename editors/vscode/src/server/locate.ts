// Where the server is found, as a pure function: the setting, then the binary
// that comes with the extension, then the first on PATH. A folder that is open
// in the editor may be anybody's, so nothing inside it is ever started.

import * as path from 'node:path';

/** What is known of the machine and the settings. */
export interface Surroundings {
  /** The setting; empty if it is not set. */
  readonly setting: string;
  /** Where the extension is installed. */
  readonly extensionFolder: string;
  /** PATH as it is, undefined if there is none. */
  readonly searchPath: string | undefined;
  readonly home: string;
  /** The folders that are open. */
  readonly workspaceFolders: readonly string[];
  readonly platform: NodeJS.Platform;
  /** The canonical path of an executable file, or undefined. */
  readonly executable: (file: string) => string | undefined;
  /** The canonical path of a folder, or the path itself. */
  readonly canonical: (folder: string) => string;
}

export type Located =
  | { readonly found: true; readonly file: string; readonly by: 'setting' | 'bundled' | 'path' }
  | { readonly found: false; readonly problem: string };

/** Whether a path is a folder or lies in it. */
export function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}

export function locate(around: Surroundings): Located {
  const folders = around.workspaceFolders.flatMap((folder) => [folder, around.canonical(folder)]);
  const isOpen = (file: string): boolean => folders.some((folder) => isInside(file, folder));
  const name = around.platform === 'win32' ? 'countersign.exe' : 'countersign';

  if (around.setting !== '') {
    const { setting, home } = around;
    const file = setting.startsWith('~/') ? path.join(home, setting.slice(2)) : setting;
    if (!path.isAbsolute(file)) {
      return { found: false, problem: `countersign.server.path is not absolute: ${setting}` };
    }
    const real = around.executable(file);
    if (real === undefined) {
      return { found: false, problem: `countersign.server.path is no program that can be run: ${file}` };
    }
    if (isOpen(file) || isOpen(real)) {
      const problem = `${file} is inside a folder that is open here, and is not started. Move it elsewhere.`;
      return { found: false, problem };
    }
    return { found: true, file: real, by: 'setting' };
  }

  // The extension's own folder may be open while somebody works on it.
  const bundled = path.join(around.extensionFolder, 'server', name);
  const real = around.executable(bundled);
  if (real !== undefined && !isOpen(real)) {
    return { found: true, file: real, by: 'bundled' };
  }

  for (const folder of (around.searchPath ?? '').split(path.delimiter)) {
    // A relative entry means another folder wherever the editor was started.
    if (!path.isAbsolute(folder)) {
      continue;
    }
    const file = path.join(folder, name);
    const program = around.executable(file);
    if (program !== undefined && !isOpen(file) && !isOpen(program)) {
      return { found: true, file: program, by: 'path' };
    }
  }
  return {
    found: false,
    problem: 'countersign is not installed: it does not come with this build of the extension and is not on PATH. Set countersign.server.path.',
  };
}
