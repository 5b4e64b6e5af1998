/*
 * What keychain.ts and keychain-process.ts say to each other, over pipes: frames of `length u32 ‖ kind u8 ‖ body`, big-endian, where length is that of kind
 * and body. Bytes and not JSON, so that what is secret in them can be zeroed.
 */

export type KeychainOperation = 'get' | 'set' | 'remove' | 'list';

export interface KeychainRequest {
  readonly operation: KeychainOperation;
  /** Whether nobody may be asked to unlock the keychain. */
  readonly isQuiet: boolean;
  /** ASCII, at most 255 bytes. */
  readonly account: string;
  /** For `set`. */
  readonly secret: Uint8Array;
}

/** Why the keychain did not do what was asked. */
export type KeychainFailure = 'unavailable' | 'locked' | 'failed';

export type KeychainAnswer =
  /** There is no such item. */
  | { readonly type: 'none' }
  /** What is in the item; empty for `set` and `remove`, and for `list` the accounts of all items, one a line. */
  | { readonly type: 'done'; readonly secret: Uint8Array }
  | { readonly type: 'error'; readonly failure: KeychainFailure; readonly message: string };

/** Of some 800 accounts. */
export const MAX_FRAME_SIZE_BYTES = 65_536;
const HEADER_SIZE_BYTES = 4;

const OPERATIONS: readonly KeychainOperation[] = ['get', 'set', 'remove', 'list'];
const FAILURES: readonly KeychainFailure[] = ['unavailable', 'locked', 'failed'];
const NONE = 0;
const DONE = 1;
const FIRST_FAILURE = 2;

/** `operation u8 ‖ is quiet u8 ‖ length of account u8 ‖ account ‖ secret` */
export function encodeRequest({ operation, isQuiet, account, secret }: KeychainRequest): Uint8Array {
  const name = Buffer.from(account, 'latin1');
  return frame(OPERATIONS.indexOf(operation), [Uint8Array.of(Number(isQuiet), name.length), name, secret]);
}

export function decodeRequest(content: Uint8Array): KeychainRequest {
  const operation = OPERATIONS[content[0] ?? OPERATIONS.length];
  const end = 3 + (content[2] ?? 0);
  if (operation === undefined || content.length < end) throw new RangeError('not a request to the keychain');
  const account = Buffer.from(content.subarray(3, end)).toString('latin1');
  return { operation, isQuiet: content[1] === 1, account, secret: content.subarray(end) };
}

export function encodeAnswer(answer: KeychainAnswer): Uint8Array {
  switch (answer.type) {
    case 'none':
      return frame(NONE, []);
    case 'done':
      return frame(DONE, [answer.secret]);
    case 'error':
      return frame(FIRST_FAILURE + FAILURES.indexOf(answer.failure), [
        new TextEncoder().encode(answer.message.slice(0, 1000)),
      ]);
  }
}

export function decodeAnswer(content: Uint8Array): KeychainAnswer {
  const kind = content[0] ?? NONE;
  const body = content.subarray(1);
  if (kind === NONE) return { type: 'none' };
  if (kind === DONE) return { type: 'done', secret: body };
  return {
    type: 'error',
    failure: FAILURES[kind - FIRST_FAILURE] ?? 'failed',
    message: new TextDecoder().decode(body),
  };
}

/** Takes frames out of a stream of bytes, in whatever pieces it comes. */
export class FrameReader {
  #received: Uint8Array = new Uint8Array();

  /** The contents of the frames that are complete with `piece`. Throws `RangeError` when one is longer than allowed. */
  push(piece: Uint8Array): Uint8Array[] {
    const joined = new Uint8Array(this.#received.length + piece.length);
    joined.set(this.#received);
    joined.set(piece, this.#received.length);
    this.#received.fill(0);
    piece.fill(0);
    const contents: Uint8Array[] = [];
    let at = 0;
    while (joined.length - at >= HEADER_SIZE_BYTES) {
      const length = new DataView(joined.buffer).getUint32(at);
      if (length === 0 || length > MAX_FRAME_SIZE_BYTES) throw new RangeError('a frame is too long');
      const end = at + HEADER_SIZE_BYTES + length;
      if (end > joined.length) break;
      contents.push(joined.slice(at + HEADER_SIZE_BYTES, end));
      at = end;
    }
    this.#received = joined.slice(at);
    joined.fill(0);
    return contents;
  }
}

function frame(kind: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const bytes = new Uint8Array(HEADER_SIZE_BYTES + length);
  new DataView(bytes.buffer).setUint32(0, length);
  bytes[HEADER_SIZE_BYTES] = kind;
  let at = HEADER_SIZE_BYTES + 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
