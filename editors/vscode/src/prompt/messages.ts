// What the web view tells the extension. It is decoded like anything that comes
// from outside.

import * as v from 'valibot';

import { Choice, RememberScope } from '../protocol/messages';
import type { PromptDocument } from './document';

const ticket = v.string();

export const FromPrompt = v.variant('kind', [
  /** The script runs and wants something to show. */
  v.object({ kind: v.literal('ready') }),
  /** It is on the screen. */
  v.object({ kind: v.literal('shown'), ticket }),
  /** Its whole text was on the screen. */
  v.object({ kind: v.literal('whole'), ticket }),
  v.object({
    kind: v.literal('choose'),
    ticket,
    choice: Choice,
    message: v.exactOptional(v.pipe(v.string(), v.maxLength(2000))),
    rules: v.exactOptional(v.array(v.string())),
    scope: v.exactOptional(RememberScope),
  }),
  v.object({ kind: v.literal('look'), ticket, at: v.picklist(['change', 'explanation']) }),
  v.object({ kind: v.literal('move'), ticket, by: v.picklist([-1, 1]) }),
]);
export type FromPrompt = v.InferOutput<typeof FromPrompt>;
export type Chosen = Extract<FromPrompt, { kind: 'choose' }>;

/** What the extension tells the web view. */
export type ToPrompt =
  | { readonly kind: 'show'; readonly document: PromptDocument }
  | { readonly kind: 'position'; readonly number: number; readonly of: number }
  | { readonly kind: 'notice'; readonly text: string }
  /** An answer is on its way, or did not count. */
  | { readonly kind: 'answering'; readonly answering: boolean };
