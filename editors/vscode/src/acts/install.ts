// Installs the hook for agents: `countersign install`, which does the work and
// says what it did, in a terminal where the person sees it.

import { execFile } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';

import * as vscode from 'vscode';

import type { Guard } from '../guard';
import { isInside } from '../server/locate';
import { executable, openFolders } from '../server/machine';

const run = promisify(execFile);

interface Agent {
  /** What `countersign install` calls it. */
  readonly name: string;
  readonly title: string;
  readonly program: string;
}

const AGENTS: readonly Agent[] = [
  { name: 'claude-code', title: 'Claude Code', program: 'claude' },
  { name: 'qwen', title: 'Qwen Code', program: 'qwen' },
  { name: 'codex', title: 'Codex', program: 'codex' },
  { name: 'gemini', title: 'Gemini CLI', program: 'gemini' },
];

/** The agents whose programs are on PATH, outside the open folders. */
export function installed(searchPath: string | undefined, folders: readonly string[]): Agent[] {
  const places = (searchPath ?? '').split(path.delimiter).filter((place) => path.isAbsolute(place));
  return AGENTS.filter(({ program }) =>
    places.some((place) => {
      const file = executable(path.join(place, program));
      return file !== undefined && !folders.some((folder) => isInside(file, folder));
    }),
  );
}

/** Whether this binary can install hooks. */
async function canInstall(file: string): Promise<boolean> {
  try {
    await run(file, ['install', '--help'], { cwd: os.homedir(), timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

export async function installHooks(guard: Guard): Promise<void> {
  const { file } = guard;
  if (file === undefined) {
    void vscode.window.showWarningMessage('Countersign: the guard is not running, see its log.');
    return;
  }
  if (!(await canInstall(file))) {
    void vscode.window.showInformationMessage(
      'Countersign: this version of countersign installs no hooks. docs/agents.md says what to write into the settings of your agent.',
    );
    return;
  }
  const found = new Set(installed(process.env['PATH'], openFolders()));
  const items = AGENTS.map((agent) => ({
    label: agent.title,
    description: found.has(agent) ? 'found on this machine' : 'not found on PATH',
    picked: found.has(agent),
    agent,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Install the hook of Countersign for',
    canPickMany: true,
  });
  for (const { agent } of picked ?? []) {
    const task = new vscode.Task(
      { type: 'countersign', agent: agent.name },
      vscode.TaskScope.Workspace,
      `install the hook for ${agent.title}`,
      'countersign',
      new vscode.ProcessExecution(file, ['install', agent.name], { cwd: os.homedir() }),
    );
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, focus: false, clear: false };
    await vscode.tasks.executeTask(task);
  }
}
