import * as fs from 'node:fs';
import * as path from 'node:path';

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { ErrorCode, Method, Sent } from '../src/protocol/messages';
import * as schemas from '../src/protocol/schemas';

const FOLDER = path.resolve(import.meta.dirname, '../../../tests/protocol');

type Schema = v.GenericSchema;

const Declaration = v.strictObject({
  kind: v.exactOptional(v.string()),
  trusted: v.exactOptional(v.boolean()),
  documents: v.exactOptional(v.boolean()),
});
const Settings = v.object({ settings: v.object({}) });
const CommandParams = v.object({ command: v.string(), arguments: v.array(v.unknown()) });

/** What reads each kind of file; every folder of the golden files must be here. */
const FROM_SERVER: Readonly<Record<string, Schema>> = {
  [Method.approvalRequested]: schemas.Approval,
  [Method.approvalResolved]: schemas.ApprovalResolved,
  [Method.decision]: schemas.Decision,
  [Method.statusChanged]: schemas.Status,
  [Method.refresh]: schemas.Refresh,
  // For other clients; its shape is rust-analyzer's.
  'experimental/serverStatus': v.object({ health: schemas.Health, quiescent: v.boolean() }),
};
const RESULTS: Readonly<Record<string, Schema>> = {
  [Method.resolveApproval]: schemas.ResolveResult,
  [Method.pendingApprovals]: schemas.PendingApprovals,
  [Method.setMode]: schemas.SetModeResult,
  [Method.grant]: schemas.Nothing,
  [Method.resetCounters]: schemas.Nothing,
  [Method.trust]: schemas.Nothing,
  [Method.consent]: schemas.Nothing,
  [Method.setBaseline]: schemas.Nothing,
  [Method.status]: schemas.Status,
  [Method.sessions]: schemas.Sessions,
  [Method.explain]: schemas.Explanation,
  [Method.journal]: schemas.Journal,
  [Method.wholeCall]: schemas.WholeCall,
  [Method.content]: schemas.TextDocumentContent,
};
const SENT: Readonly<Record<string, Schema>> = Sent;

interface Golden {
  readonly name: string;
  readonly group: string;
  readonly method: string;
  readonly part: string;
  readonly value: unknown;
}

function golden(): Golden[] {
  return fs
    .readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name): Golden => {
      const [group = '', ...rest] = name.split(path.sep);
      const method = (rest.length > 1 ? (rest[0] ?? '') : group).replaceAll(/(?<=countersign|workspace|experimental|textDocumentContent)-/g, '/');
      const part = (rest.at(-1) ?? '').replace(/[-.].*$/, '');
      const value: unknown = JSON.parse(fs.readFileSync(path.join(FOLDER, name), 'utf8'));
      return { name, group, method, part, value };
    });
}

function schemaOf({ group, method, part }: Golden): Schema | undefined {
  switch (group) {
    case 'from-server':
      return part === 'result' ? schemas.Nothing : FROM_SERVER[method];
    case 'from-client':
      return SENT[method];
    case 'requests':
      return part === 'result' ? RESULTS[method] : SENT[method];
    case 'commands':
      return part === 'result' ? v.nullish(v.string()) : CommandParams;
    case 'capabilities':
      return Declaration;
    case 'initialize':
      return part === 'result' ? schemas.Handshake : v.object({ capabilities: v.object({}) });
    case 'didChangeConfiguration':
      return Settings;
    case 'errors':
      return schemas.ResponseError;
    default:
      return undefined;
  }
}

/** Every field of `value` is in `read`, so that none is only passed over. */
function missing(value: unknown, read: unknown, at: string): string[] {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = Array.isArray(read) ? read : [];
    return value.flatMap((one: unknown, index) => missing(one, list[index], `${at}[${index}]`));
  }
  if (typeof value === 'object' && value !== null) {
    const fields: Readonly<Record<string, unknown>> =
      typeof read === 'object' && read !== null ? { ...read } : {};
    return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
      key in fields ? missing(one, fields[key], `${at}.${key}`) : [`${at}.${key}`],
    );
  }
  return [];
}

const all = golden();

describe('the golden messages of the protocol', () => {
  it('are found', () => {
    expect(all.length).toBeGreaterThan(80);
  });

  it.each(all.map((one) => [one.name, one] as const))('%s is read', (_, one) => {
    const schema = schemaOf(one);
    expect(schema, `nothing reads ${one.name}`).toBeDefined();
    const result = v.safeParse(schema ?? v.never(), one.value);
    expect(result.issues?.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`)).toBeUndefined();
  });

  // Rows of the journal hold more than a list shows.
  const typed = all.filter(
    ({ group, method }) => (group === 'requests' || group.startsWith('from-')) && method !== Method.journal,
  );
  it.each(typed.filter(({ method }) => !method.startsWith('experimental/')).map((one) => [one.name, one] as const))(
    '%s is read to its last field',
    (_, one) => {
      const output: unknown = v.parse(schemaOf(one) ?? v.never(), one.value);
      expect(missing(one.value, output, '')).toEqual([]);
    },
  );

  it('name every error code of the server', () => {
    const codes = all.filter(({ group }) => group === 'errors').map(({ value }) => v.parse(schemas.ResponseError, value).code);
    expect(new Set(codes)).toEqual(new Set(Object.values(ErrorCode)));
  });
});

describe('what is not of the protocol', () => {
  it('is not believed: an approval without its nonce', () => {
    const approval = all.find(({ method }) => method === Method.approvalRequested);
    const { nonce, ...others } = v.parse(schemas.Approval, approval?.value);
    expect(nonce).not.toBe('');
    expect(v.is(schemas.Approval, others)).toBe(false);
  });

  it('is not believed: a decision that is none of the three', () => {
    const decision = all.find(({ method }) => method === Method.decision);
    expect(v.is(schemas.Decision, { ...v.parse(schemas.Decision, decision?.value), decision: 'approve' })).toBe(false);
  });
});
