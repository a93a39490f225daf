// Turns what came over the wire into what it is said to be, or into an error
// that names the message and the place in it.

import * as v from 'valibot';

import { ResponseError } from './schemas';

export class ProtocolError extends Error {
  constructor(method: string, problem: string) {
    super(`${method}: ${problem}`);
    this.name = 'ProtocolError';
  }
}

type Schema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** The value, if it has the shape. Issues name places, never values: a nonce may be among them. */
export function decode<S extends Schema>(method: string, schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) {
    return result.output;
  }
  const [issue] = result.issues;
  throw new ProtocolError(method, `${v.getDotPath(issue) ?? 'value'}: expected ${issue.expected ?? 'something else'}`);
}

/** The code of an error that a request failed with, if it has one. */
export function codeOf(error: unknown): number | undefined {
  const result = v.safeParse(ResponseError, error);
  return result.success ? result.output.code : undefined;
}

/** What to tell a person of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
