/** A run of bytes shorter than this could stand anywhere by chance. */
const PIECE_SIZE_BYTES = 24;

/** Runs with fewer different bytes than this (padding, silence, indentation) prove nothing when they are found elsewhere. */
const MIN_DISTINCT_BYTES = 8;

/** Texts shorter than this are found in any few megabytes of noise. */
const MIN_NAME_SIZE_BYTES = 6;

interface Piece {
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly offset: number;
}

export interface Found {
  /** What it is a piece of. */
  readonly source: string;
  readonly offsetInSource: number;
  readonly offset: number;
}

/**
 * Finds pieces of known contents in other bytes, wherever they stand there. A piece is 24 bytes; each content is cut into pieces
 * from its beginning without gaps, so that any 47 bytes of a content that stand together are noticed.
 */
export class PlaintextFinder {
  /** By a hash of their bytes. */
  readonly #pieces = new Map<number, Piece[]>();
  #pieceCount = 0;
  /** Contents without a piece that could be told from chance. */
  readonly tooShort: string[] = [];

  constructor(contents: ReadonlyMap<string, Uint8Array>) {
    for (const [source, bytes] of contents) {
      const before = this.#pieceCount;
      for (let offset = 0; offset + PIECE_SIZE_BYTES <= bytes.length; offset += PIECE_SIZE_BYTES) {
        this.#add({ source, bytes, offset });
      }
      if (this.#pieceCount === before) this.tooShort.push(source);
    }
  }

  get pieceCount(): number {
    return this.#pieceCount;
  }

  /** The first place of each content that has a piece in these bytes. */
  find(bytes: Uint8Array): Found[] {
    const found = new Map<string, Found>();
    const hash = new RollingHash(bytes);
    for (let offset = 0; offset + PIECE_SIZE_BYTES <= bytes.length; offset++) {
      for (const piece of this.#pieces.get(hash.at(offset)) ?? []) {
        if (found.has(piece.source) || !standsAt(bytes, offset, piece)) continue;
        found.set(piece.source, { source: piece.source, offsetInSource: piece.offset, offset });
      }
    }
    return [...found.values()];
  }

  #add(piece: Piece): void {
    const bytes = piece.bytes.subarray(piece.offset, piece.offset + PIECE_SIZE_BYTES);
    if (new Set(bytes).size < MIN_DISTINCT_BYTES) return;
    this.#pieceCount++;
    const hash = new RollingHash(bytes).at(0);
    const others = this.#pieces.get(hash);
    if (others === undefined) this.#pieces.set(hash, [piece]);
    // Contents repeat themselves, and each other: the same bytes are looked for once.
    else if (!others.some((other) => standsAt(bytes, 0, other))) others.push(piece);
  }
}

/** The names that stand in these bytes, in UTF-8 or UTF-16. */
export function findNames(bytes: Uint8Array, names: readonly string[]): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return names.filter(
    (name) =>
      Buffer.byteLength(name) >= MIN_NAME_SIZE_BYTES &&
      (haystack.includes(name, 0, 'utf8') || haystack.includes(name, 0, 'utf16le')),
  );
}

function standsAt(bytes: Uint8Array, offset: number, piece: Piece): boolean {
  for (let index = 0; index < PIECE_SIZE_BYTES; index++) {
    if (bytes[offset + index] !== piece.bytes[piece.offset + index]) return false;
  }
  return true;
}

const FACTOR = 0x01000193;

/** The hash of 24 bytes at a place, in constant time when places are asked for one after the other. */
class RollingHash {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #hash = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let index = 0; index < PIECE_SIZE_BYTES; index++) this.#push(index);
  }

  at(offset: number): number {
    for (; this.#offset < offset; this.#offset++) {
      this.#hash = (this.#hash - Math.imul(this.#bytes[this.#offset] ?? 0, LEAVING)) | 0;
      this.#push(this.#offset + PIECE_SIZE_BYTES);
    }
    return this.#hash;
  }

  #push(index: number): void {
    this.#hash = (Math.imul(this.#hash, FACTOR) + (this.#bytes[index] ?? 0)) | 0;
  }
}

/** What the oldest of the bytes has been multiplied by. */
const LEAVING: number = Array.from({ length: PIECE_SIZE_BYTES - 1 }).reduce<number>(
  (power) => Math.imul(power, FACTOR),
  1,
);
