// The layers of settings that the server is sent: what the person set for all
// workspaces, and what the opened folders set. They are never mixed, because a
// folder's settings may be anybody's and can only tighten.

/** One setting as VS Code has it, by where it was set. */
export interface Inspected {
  readonly key: string;
  readonly scope: 'machine' | 'window' | 'resource';
  readonly user: unknown;
  /** From the workspace's file; of a single folder, its `.vscode/settings.json`. */
  readonly workspace: unknown;
  /** Of each folder, where several are open. */
  readonly folders: readonly unknown[];
}

export type Layer = Record<string, unknown>;

/** What `initializationOptions` and `workspace/didChangeConfiguration` carry. */
export interface Layers {
  readonly user: Layer;
  readonly workspace: Layer;
  readonly trusted: boolean;
}

function put(layer: Layer, key: string, value: unknown): void {
  const names = key.split('.');
  const last = names.pop();
  if (last === undefined) {
    return;
  }
  let place = layer;
  for (const name of names) {
    const known = place[name];
    const next: Layer = isLayer(known) ? known : {};
    place[name] = next;
    place = next;
  }
  place[last] = value;
}

function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists are united; all that folders may set of their own are lists that restrict. */
function united(values: readonly unknown[]): unknown {
  const set = values.filter((value) => value !== undefined && value !== null);
  if (set.length < 2) {
    return set[0];
  }
  const lists: readonly unknown[][] = set.filter(Array.isArray);
  return [...new Set(lists.flat())];
}

/** The layers. Settings of the machine are taken from the person alone, whatever a folder says. */
export function layers(settings: readonly Inspected[], trusted: boolean): Layers {
  const user: Layer = {};
  const workspace: Layer = {};
  for (const setting of settings) {
    if (setting.user !== undefined && setting.user !== null) {
      put(user, setting.key, setting.user);
    }
    if (setting.scope === 'machine') {
      continue;
    }
    const folders = setting.scope === 'resource' ? setting.folders : [];
    const value = united([setting.workspace, ...folders]);
    if (value !== undefined) {
      put(workspace, setting.key, value);
    }
  }
  return { user, workspace, trusted };
}
