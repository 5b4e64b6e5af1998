import { requireBytes, requireInteger } from '../argument.ts';
import { constantTimeEqual } from '../constant-time.ts';
import { CryptoError, isInvalidToken } from '../errors.ts';
import { fernetKeyHalves } from '../fernet-key.ts';
import type { FernetKey } from '../fernet-key.ts';
import { readFernetToken, sealFernet } from '../fernet.ts';
import { hkdfExpand } from '../hkdf.ts';
import { hmacSha256 } from '../hmac.ts';
import type { SecretKey } from '../secret-key.ts';
import { FileKey, fileKeyBytes } from './file-key.ts';
import { SEALED_FILE } from './format.ts';
import { requireLog2 } from './layout.ts';

/** What a header says besides the file key. */
export interface SealedHeader {
  /** 16 bytes. */
  readonly fileId: Uint8Array;
  /** Which storage key wraps the file key. */
  readonly keyEpoch: number;
  /** Greater with every header that is written for the file. */
  readonly sequence: bigint;
  readonly segmentSizeLog2: number;
}

export interface EncodeHeaderOptions {
  /** 16 bytes, of the wrapped key; random, and given only for test vectors. */
  readonly iv?: Uint8Array;
}

/** A header block that is authentic. The file key is the caller's to dispose of. */
export interface OpenedHeaderBlock {
  readonly header: SealedHeader;
  readonly fileKey: FileKey;
}

const FILE_KEY_SIZE_BYTES = 32;
const MAC_SIZE_BYTES = 32;
const MAGIC = new TextEncoder().encode('COFFERSF');
const MAC_INFO = new TextEncoder().encode('coffer/header/v1');

/** Where each field begins (docs/spec/sealed-file.md §4). */
const OFFSET = {
  version: 8,
  suite: 9,
  segmentSizeLog2: 10,
  reserved: 11,
  fileId: 12,
  keyEpoch: 28,
  sequence: 32,
  wrappedKey: 40,
  mac: 145,
  padding: 177,
} as const;

/**
 * One header block: `magic 8 ‖ version u8 ‖ suite u8 ‖ log2 u8 ‖ 0 u8 ‖ file id 16 ‖ key epoch u32 ‖ sequence u64 ‖ wrapped key 105 ‖ MAC 32 ‖
 * zeros to 4096`, big-endian. The wrapped key is a Fernet token, time 0, of the file key under the storage key.
 *
 * @throws CryptoError INVALID_ARGUMENT, DISPOSED
 */
export function encodeHeaderBlock(
  storageKey: SecretKey,
  fileKey: FileKey,
  header: SealedHeader,
  options: EncodeHeaderOptions = {},
): Uint8Array {
  requireHeader(header);
  const block = new Uint8Array(SEALED_FILE.HEADER_BLOCK_SIZE_BYTES);
  const view = new DataView(block.buffer);
  block.set(MAGIC);
  block[OFFSET.version] = SEALED_FILE.FORMAT_VERSION;
  block[OFFSET.suite] = SEALED_FILE.SUITE;
  block[OFFSET.segmentSizeLog2] = header.segmentSizeLog2;
  block.set(header.fileId, OFFSET.fileId);
  view.setUint32(OFFSET.keyEpoch, header.keyEpoch);
  view.setBigUint64(OFFSET.sequence, header.sequence);
  block.set(wrapFileKey(storageKey, fileKey, options), OFFSET.wrappedKey);
  block.set(headerMac(fileKey, block), OFFSET.mac);
  return block;
}

/**
 * Opens one block of 4096 bytes; `undefined` when it is all zero. Which file it belongs to is the caller's to check.
 *
 * @throws CryptoError INVALID_HEADER, UNSUPPORTED, UNKNOWN_KEY_EPOCH, DISPOSED
 */
export function openHeaderBlock(
  block: Uint8Array,
  storageKeyOf: (epoch: number) => SecretKey | undefined,
): OpenedHeaderBlock | undefined {
  if (isFreePlace(block)) return undefined;
  const header = parseHeader(block);
  const storageKey = storageKeyOf(header.keyEpoch);
  if (storageKey === undefined) {
    throw new CryptoError(
      'UNKNOWN_KEY_EPOCH',
      `this file is sealed under key epoch ${String(header.keyEpoch)}, whose storage key is not known here`,
    );
  }
  const fileKey = unwrapFileKey(storageKey, block.subarray(OFFSET.wrappedKey, OFFSET.mac));
  if (constantTimeEqual(headerMac(fileKey, block), block.subarray(OFFSET.mac, OFFSET.padding))) {
    return { header, fileKey };
  }
  fileKey[Symbol.dispose]();
  throw invalidHeader();
}

/** Whether a place of a header has no block: all of it is zero. */
export function isFreePlace(block: Uint8Array): boolean {
  return isZero(block);
}

export function invalidHeader(): CryptoError {
  return new CryptoError('INVALID_HEADER', 'the header is damaged, or made under another storage key');
}

function parseHeader(block: Uint8Array): SealedHeader {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  if (MAGIC.some((byte, index) => block[index] !== byte)) throw invalidHeader();
  // By name, and before anything that another version may have laid out differently.
  requireSupported('format version', view.getUint8(OFFSET.version), SEALED_FILE.FORMAT_VERSION);
  requireSupported('suite', view.getUint8(OFFSET.suite), SEALED_FILE.SUITE);
  const segmentSizeLog2 = view.getUint8(OFFSET.segmentSizeLog2);
  const possible =
    segmentSizeLog2 >= SEALED_FILE.MIN_SEGMENT_SIZE_LOG2 &&
    segmentSizeLog2 <= SEALED_FILE.MAX_SEGMENT_SIZE_LOG2 &&
    view.getUint8(OFFSET.reserved) === 0 &&
    isZero(block.subarray(OFFSET.padding));
  if (!possible) throw invalidHeader();
  return {
    fileId: new Uint8Array(block.subarray(OFFSET.fileId, OFFSET.keyEpoch)),
    keyEpoch: view.getUint32(OFFSET.keyEpoch),
    sequence: view.getBigUint64(OFFSET.sequence),
    segmentSizeLog2,
  };
}

function requireSupported(what: string, value: number, supported: number): void {
  if (value === supported) return;
  throw new CryptoError(
    'UNSUPPORTED',
    `this file has ${what} ${String(value)}; only ${what} ${String(supported)} is known here`,
  );
}

function wrapFileKey(storageKey: SecretKey, fileKey: FileKey, { iv }: EncodeHeaderOptions): Uint8Array {
  const options = { epochSeconds: 0, ...(iv === undefined ? {} : { iv }) };
  return withWrappingKey(storageKey, (key) => sealFernet(key, fileKeyBytes(fileKey), options));
}

function unwrapFileKey(storageKey: SecretKey, wrappedKey: Uint8Array): FileKey {
  const isTimeZero = (epochSeconds: bigint): boolean => epochSeconds === 0n;
  let bytes;
  try {
    bytes = withWrappingKey(storageKey, (key) =>
      readFernetToken(fernetKeyHalves(key), wrappedKey, FILE_KEY_SIZE_BYTES, isTimeZero),
    );
  } catch (error) {
    if (!isInvalidToken(error)) throw error;
    throw invalidHeader();
  }
  try {
    // A token of 105 bytes holds 32 to 47.
    if (bytes.length !== FILE_KEY_SIZE_BYTES) throw invalidHeader();
    return FileKey.fromBytes(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** The storage key's 32 bytes are a Fernet key. */
function withWrappingKey<T>(storageKey: SecretKey, use: (key: FernetKey) => T): T {
  const key = storageKey.toFernetKey();
  try {
    return use(key);
  } finally {
    key[Symbol.dispose]();
  }
}

/** Over everything before it, under a key of its own. */
function headerMac(fileKey: FileKey, block: Uint8Array): Uint8Array {
  const macKey = hkdfExpand(fileKeyBytes(fileKey), MAC_INFO, MAC_SIZE_BYTES);
  try {
    return hmacSha256(macKey, block.subarray(0, OFFSET.mac));
  } finally {
    macKey.fill(0);
  }
}

function requireHeader({ fileId, keyEpoch, sequence, segmentSizeLog2 }: SealedHeader): void {
  requireBytes(fileId, SEALED_FILE.FILE_ID_SIZE_BYTES, SEALED_FILE.FILE_ID_SIZE_BYTES, 'the file id');
  requireInteger(keyEpoch, 0, SEALED_FILE.MAX_KEY_EPOCH, 'the key epoch');
  requireLog2(segmentSizeLog2);
  if (typeof sequence !== 'bigint' || sequence < 0n || sequence > SEALED_FILE.MAX_SEQUENCE) {
    throw new CryptoError('INVALID_ARGUMENT', 'the sequence number must be a bigint of 64 bits');
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
