import { fromErrorRecord, isErrorRecord, toErrorRecord } from './error-record.ts';
import { ProtocolError } from './protocol-error.ts';

/** `flags u8 ‖ length of the JSON u32 ‖ JSON ‖ bytes`. With the flag, the JSON has `{"$bytes":[offset,length]}` and `{"$error":…}` in it. */
const PREFIX_SIZE_BYTES = 5;
const HAS_SPECIAL = 1;
const MAX_DEPTH = 32;

/**
 * A value as the body of a frame: JSON, with bytes after it and errors as records. `undefined` in an object is left out, in a list it is `null`, alone it is
 * `null`.
 */
export function encodeBody(value: unknown): Buffer {
  const attachments: Uint8Array[] = [];
  const isSpecial = hasSpecial(value, 0);
  const plain = isSpecial ? replaceSpecial(value, attachments) : value;
  const json = Buffer.from(JSON.stringify(plain ?? null));
  const prefix = Buffer.alloc(PREFIX_SIZE_BYTES);
  prefix.writeUInt8(isSpecial ? HAS_SPECIAL : 0, 0);
  prefix.writeUInt32BE(json.length, 1);
  return Buffer.concat([prefix, json, ...attachments]);
}

/**
 * The value of a body. Bytes are views of the body; errors are errors again. Throws `ProtocolError` for what no `encodeBody` made.
 */
export async function decodeBody(body: Buffer): Promise<unknown> {
  const { value, bytes } = parseBody(body);
  return bytes === undefined ? value : await restoreSpecial(value, bytes, 0);
}

/** The value of a body that has neither bytes nor errors in it. Throws `ProtocolError`. */
export function decodePlainBody(body: Buffer): unknown {
  const { value, bytes } = parseBody(body);
  if (bytes !== undefined) throw new ProtocolError('a body has what it may not have');
  return value;
}

function parseBody(body: Buffer): { readonly value: unknown; readonly bytes: Buffer | undefined } {
  if (body.length < PREFIX_SIZE_BYTES) throw new ProtocolError('a body is too short');
  const flags = body.readUInt8(0);
  const end = PREFIX_SIZE_BYTES + body.readUInt32BE(1);
  if (flags > HAS_SPECIAL || end > body.length || (flags === 0 && end !== body.length)) {
    throw new ProtocolError('a body is not what its beginning says');
  }
  try {
    const value: unknown = JSON.parse(body.toString('utf8', PREFIX_SIZE_BYTES, end));
    return { value, bytes: flags === HAS_SPECIAL ? body.subarray(end) : undefined };
  } catch (error) {
    throw new ProtocolError('a body is not JSON', { cause: error });
  }
}

function hasSpecial(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Uint8Array || value instanceof Error) return true;
  if (depth > MAX_DEPTH) throw new TypeError('a value is nested too deeply to be sent');
  const items = Array.isArray(value) ? (value as unknown[]) : Object.values(value);
  return items.some((item) => hasSpecial(item, depth + 1));
}

function replaceSpecial(value: unknown, attachments: Uint8Array[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return { $error: toErrorRecord(value) };
  if (value instanceof Uint8Array) {
    const offset = attachments.reduce((sum, { length }) => sum + length, 0);
    attachments.push(value);
    return { $bytes: [offset, value.length] };
  }
  if (Array.isArray(value)) return value.map((item) => replaceSpecial(item, attachments));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, replaceSpecial(item, attachments)]),
  );
}

async function restoreSpecial(value: unknown, bytes: Buffer, depth: number): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new ProtocolError('a body is nested too deeply');
  if (Array.isArray(value)) {
    return await Promise.all(value.map((item) => restoreSpecial(item, bytes, depth + 1)));
  }
  if ('$bytes' in value) return bytesAt(value.$bytes, bytes);
  if ('$error' in value) {
    if (!isErrorRecord(value.$error)) throw new ProtocolError('a body has an error that is none');
    return await fromErrorRecord(value.$error);
  }
  const entries = Object.entries(value).map(
    async ([name, item]) => [name, await restoreSpecial(item, bytes, depth + 1)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function bytesAt(place: unknown, bytes: Buffer): Uint8Array {
  const [offset, length] = Array.isArray(place) ? (place as unknown[]) : [];
  if (!isCount(offset) || !isCount(length) || offset + length > bytes.length) {
    throw new ProtocolError('a body has bytes that are not in it');
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
