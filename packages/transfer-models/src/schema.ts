import * as v from 'valibot';
import { TransferModelError } from './errors.ts';
import { MAX_FILE_SIZE_BYTES } from './limits.ts';

const SHA256_SIZE_BYTES = 32;

/** Issues of a value that has the right type and is beyond a limit. */
const LIMITS: ReadonlySet<string> = new Set(['max_value', 'max_length']);

/** The parsed value. Throws `TOO_LARGE` beyond a limit, else `INVALID`. The message never repeats the value. */
export function parseWith<T>(schema: v.GenericSchema<unknown, T>, what: string, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const property = v.getDotPath(issue);
  const subject = property === null ? what : `${property} of ${what}`;
  throw new TransferModelError(
    LIMITS.has(issue.type) ? 'TOO_LARGE' : 'INVALID',
    `${subject} ${issue.message}`,
  );
}

/** A whole number from 0 to `max`. */
export function integerSchema(max: number): v.GenericSchema<unknown, number> {
  return v.pipe(
    v.number('must be a number'),
    v.safeInteger('must be a whole number'),
    v.minValue(0, 'must not be negative'),
    v.maxValue(max, `must be at most ${String(max)}`),
  );
}

export const FILE_SIZE_SCHEMA: v.GenericSchema<unknown, number> = integerSchema(MAX_FILE_SIZE_BYTES);

/** Copied, so that the buffer of a frame can be used again. */
export const SHA256_SCHEMA: v.GenericSchema<unknown, Uint8Array> = v.pipe(
  v.instance(Uint8Array, 'must be bytes'),
  v.check((bytes) => bytes.length === SHA256_SIZE_BYTES, `must be ${String(SHA256_SIZE_BYTES)} bytes`),
  v.transform((bytes) => new Uint8Array(bytes)),
);
