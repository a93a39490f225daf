// Makes the server's settings in package.json out of `docs/settings.md`, which
// the server makes out of its own table: they exist once.

/** Settings that are not offered in VS Code, with the reason. */
function isOffered(key: string): boolean {
  // Said by the notice in the editor, not by a setting that somebody could write for the person.
  // Programs to run belong into a file that is looked at as one.
  return key !== 'ui.autoModeAcknowledged' && !key.startsWith('hooks.');
}

export interface Documented {
  readonly key: string;
  readonly type: string;
  readonly fallback: unknown;
  /** What the table says of workspaces. */
  readonly folder: string;
  readonly text: string;
}

function fallback(cell: string): unknown {
  if (cell === 'not set') {
    return null;
  }
  const value = cell.replaceAll('`', '');
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The rows of the table of all settings that are offered, with their descriptions. */
export function documented(page: string): Documented[] {
  const texts = new Map(
    page.split('\n### ').slice(1).map((section): [string, string] => {
      const [title = '', ...lines] = section.split('\n');
      return [title.replaceAll('`', ''), lines.join('\n').trim()];
    }),
  );
  return page.split('\n').flatMap((line) => {
    const cells = line.replace(/^\| | \|$/g, '').split(' | ');
    const [first = '', type = '', standard = '', , folder = ''] = cells;
    const [, key] = /^`([^`]+)`$/.exec(first) ?? [];
    if (key === undefined || cells.length !== 5 || !isOffered(key)) {
      return [];
    }
    return [{ key, type, fallback: fallback(standard), folder, text: texts.get(key) ?? '' }];
  });
}

function quoted(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, word]) => word ?? '');
}

function shape(type: string, fallback: unknown): Record<string, unknown> {
  const values = quoted(type);
  if (type.startsWith('list of')) {
    return { type: 'array', items: { type: 'string', ...(values.length > 0 && { enum: values }) } };
  }
  if (type.startsWith('`true`')) {
    return { type: 'boolean' };
  }
  if (type.startsWith('one of')) {
    return fallback === null ? { type: ['string', 'null'], enum: [...values, null] } : { type: 'string', enum: values };
  }
  const [, least, most] = /^whole number, (\d+) to (\d+)$/.exec(type) ?? [];
  if (least !== undefined && most !== undefined) {
    return { type: 'integer', minimum: Number(least), maximum: Number(most) };
  }
  return { type: fallback === null ? ['string', 'null'] : 'string' };
}

/** What only a person may say for all workspaces is of the machine; of the rest, what restricts may differ by folder. */
function scope({ key, folder }: Documented): 'machine' | 'window' | 'resource' {
  if (folder === 'not read' || key === 'tools.approvalMode') {
    return 'machine';
  }
  return folder === 'always' ? 'resource' : 'window';
}

const NOTES: Readonly<Record<string, string>> = {
  'trusted and accepted': '\n\nIn a workspace: only if it is trusted and you accepted exactly these entries.',
  'stricter only': '\n\nA workspace can only make it stricter.',
};

/** The properties as package.json must have them. */
export function properties(page: string): Record<string, unknown> {
  const made = documented(page).map((setting, index): [string, unknown] => {
    const where = scope(setting);
    const note = where === 'machine' ? '' : (NOTES[setting.folder] ?? '');
    return [
      `countersign.${setting.key}`,
      {
        ...shape(setting.type, setting.fallback),
        default: setting.fallback,
        scope: where,
        order: 10 + index,
        markdownDescription: `${setting.text}${note}`,
      },
    ];
  });
  return Object.fromEntries(made);
}
