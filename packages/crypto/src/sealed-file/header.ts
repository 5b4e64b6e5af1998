import { requireBytes } from '../argument.ts';
import { constantTimeEqual } from '../constant-time.ts';
import { CryptoError } from '../errors.ts';
import type { CryptoErrorCode } from '../errors.ts';
import type { SecretKey } from '../secret-key.ts';
import type { FileKey } from './file-key.ts';
import { SEALED_FILE } from './format.ts';
import { encodeHeaderBlock, invalidHeader, isFreePlace, openHeaderBlock } from './header-block.ts';
import type { EncodeHeaderOptions, OpenedHeaderBlock, SealedHeader } from './header-block.ts';

export interface DecodeHeaderOptions {
  readonly storageKeyOf: (epoch: number) => SecretKey | undefined;
  /** 16 bytes: whose header this has to be. */
  readonly fileId: Uint8Array;
}

export interface DecodedHeader {
  readonly header: SealedHeader;
  /** The caller's to dispose of. */
  readonly fileKey: FileKey;
  /** The block in use. Another header is written to the other one, which is then the only one that is not zero. */
  readonly place: 0 | 1;
  /** Whether the other place is all zero, as a finished writer leaves it. What else is there is not used. */
  readonly isOtherPlaceFree: boolean;
}

/** What is said when no block can be used: what is most certain first. */
const FAILURES: readonly CryptoErrorCode[] = [
  'WRONG_FILE',
  'UNKNOWN_KEY_EPOCH',
  'UNSUPPORTED',
  'INVALID_HEADER',
];

/** The header of a new file: a block as `encodeHeaderBlock` makes it, then a block of zeros. 8192 bytes. */
export function encodeHeader(
  storageKey: SecretKey,
  fileKey: FileKey,
  header: SealedHeader,
  options: EncodeHeaderOptions = {},
): Uint8Array {
  const bytes = new Uint8Array(SEALED_FILE.HEADER_SIZE_BYTES);
  bytes.set(encodeHeaderBlock(storageKey, fileKey, header, options));
  return bytes;
}

/**
 * Reads the two blocks of a header, 8192 bytes, and takes the authentic one of the expected file with the highest sequence number; at the
 * same number the first.
 *
 * @throws CryptoError WRONG_FILE, UNKNOWN_KEY_EPOCH, UNSUPPORTED (format version or suite, by name), INVALID_HEADER when there is none;
 *   INVALID_ARGUMENT, DISPOSED
 */
export function decodeHeader(header: Uint8Array, options: DecodeHeaderOptions): DecodedHeader {
  const { HEADER_SIZE_BYTES, HEADER_BLOCK_SIZE_BYTES, FILE_ID_SIZE_BYTES } = SEALED_FILE;
  requireBytes(header, HEADER_SIZE_BYTES, HEADER_SIZE_BYTES, 'the header');
  requireBytes(options.fileId, FILE_ID_SIZE_BYTES, FILE_ID_SIZE_BYTES, 'the file id');
  const failures: CryptoError[] = [];
  let newest: (OpenedHeaderBlock & { readonly place: 0 | 1 }) | undefined;
  try {
    for (const place of [0, 1] as const) {
      const start = place * HEADER_BLOCK_SIZE_BYTES;
      const opened = tryBlock(header.subarray(start, start + HEADER_BLOCK_SIZE_BYTES), options, failures);
      if (opened === undefined) continue;
      if (newest === undefined || opened.header.sequence > newest.header.sequence) {
        newest?.fileKey[Symbol.dispose]();
        newest = { ...opened, place };
      } else {
        opened.fileKey[Symbol.dispose]();
      }
    }
  } catch (error) {
    newest?.fileKey[Symbol.dispose]();
    throw error;
  }
  if (newest !== undefined) {
    const other = (1 - newest.place) * HEADER_BLOCK_SIZE_BYTES;
    const isOtherPlaceFree = isFreePlace(header.subarray(other, other + HEADER_BLOCK_SIZE_BYTES));
    return { ...newest, isOtherPlaceFree };
  }
  throw (
    FAILURES.map((code) => failures.find((failure) => failure.code === code)).find(Boolean) ?? invalidHeader()
  );
}

/** The block, if it can be used; otherwise why not goes to `failures`. */
function tryBlock(
  block: Uint8Array,
  { storageKeyOf, fileId }: DecodeHeaderOptions,
  failures: CryptoError[],
): OpenedHeaderBlock | undefined {
  try {
    const opened = openHeaderBlock(block, storageKeyOf);
    if (opened === undefined || constantTimeEqual(opened.header.fileId, fileId)) return opened;
    opened.fileKey[Symbol.dispose]();
    throw new CryptoError('WRONG_FILE', 'this is an authentic header, but of another file');
  } catch (error) {
    if (!(error instanceof CryptoError) || !FAILURES.includes(error.code)) throw error;
    failures.push(error);
    return undefined;
  }
}
