import type { SlotSecret } from '@coffer/vault';
import * as v from 'valibot';
import { slotSecret } from '../argument-schemas.ts';
import { decodeBody, encodeBody } from '../wire/body.ts';
import { limitsSchema } from './agent-methods.ts';
import type { AgentState } from './agent-methods.ts';
import type { Limits } from './limits.ts';

/** What an agent is given on its standard input: nothing of it is ever an argument, in the environment or in a file. */
export interface StartMessage {
  readonly directory: string;
  readonly secret: SlotSecret;
  readonly limits: Limits;
  /** How long the keychain may wait for a person. */
  readonly keychainTimeoutMs?: number;
}

const startSchema = v.strictObject({
  directory: v.string(),
  secret: slotSecret,
  limits: limitsSchema,
  keychainTimeoutMs: v.exactOptional(v.number()),
});

export function encodeStart(message: Omit<StartMessage, 'secret'> & { readonly secret: unknown }): Buffer {
  return encodeBody(message);
}

export async function decodeStart(body: Buffer): Promise<StartMessage> {
  return v.parse(startSchema, await decodeBody(body));
}

/** What an agent says once: that it serves the vault, or why it does not. */
export type StartAnswer = { readonly state: AgentState } | { readonly error: Error };

const stateSchema = v.object({
  pid: v.number(),
  sinceMs: v.number(),
  untilMs: v.number(),
  idleMs: v.exactOptional(v.number()),
  warnings: v.array(v.string()),
});

const answerSchema = v.union([v.object({ state: stateSchema }), v.object({ error: v.instance(Error) })]);

export function encodeAnswer(answer: StartAnswer): Buffer {
  return encodeBody(answer);
}

export async function decodeAnswer(body: Buffer): Promise<StartAnswer> {
  return v.parse(answerSchema, await decodeBody(body));
}

export function parseState(value: unknown): AgentState {
  return v.parse(stateSchema, value);
}
