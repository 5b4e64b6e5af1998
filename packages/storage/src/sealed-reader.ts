import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import {
  CryptoError,
  SEALED_FILE,
  decodeHeader,
  openSegment,
  sealedFileSize,
  sealedSegmentSize,
  segmentCount,
  segmentOffset,
  segmentPlainSize,
} from '@coffer/crypto';
import type { FileKey } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { fileIdToBytes } from '@coffer/database';
import { damaged, errnoOf, throwIfAborted } from './errors.ts';
import type { StorageError } from './errors.ts';
import type { StorageKeys } from './storage-keys.ts';

export interface SealedFileRef {
  readonly id: FileId;
  /** For messages. */
  readonly name: string;
  /** Of the plaintext, as the row has it. */
  readonly sizeBytes: number;
}

/** Reads a sealed file whose length and header have been checked. Yields nothing that was not authenticated. */
export class SealedReader implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #fileKey: FileKey;
  readonly #file: SealedFileRef;
  readonly #log2: number;

  private constructor(handle: FileHandle, fileKey: FileKey, file: SealedFileRef, segmentSizeLog2: number) {
    this.#handle = handle;
    this.#fileKey = fileKey;
    this.#file = file;
    this.#log2 = segmentSizeLog2;
  }

  /**
   * Opens `path`. Throws `DAMAGED` with what kind: missing, truncated or extended against the row's size, a header that is
   * damaged, of an unknown version, of an unknown key epoch, or another file's.
   */
  static async open(path: string, file: SealedFileRef, keys: StorageKeys): Promise<SealedReader> {
    const handle = await openSealed(path, file);
    try {
      const { size } = await handle.stat();
      const header = await readExactly(handle, 0, SEALED_FILE.HEADER_SIZE_BYTES, file);
      const { fileKey, header: fields } = decode(header, file, keys);
      const expected = sealedFileSize(file.sizeBytes, fields.segmentSizeLog2);
      if (size !== expected) {
        fileKey[Symbol.dispose]();
        throw size < expected ? truncated(file, size, expected) : extended(file, size, expected);
      }
      return new SealedReader(handle, fileKey, file, fields.segmentSizeLog2);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Plaintext bytes `start` to `end` (exclusive), in order, decrypting only the segments that cover them. */
  async *read(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { sizeBytes } = this.#file;
    const segmentSize = 2 ** this.#log2;
    const count = segmentCount(sizeBytes, this.#log2);
    const first = Math.min(Math.floor(start / segmentSize), count - 1);
    const last = Math.min(Math.max(first, Math.ceil(end / segmentSize) - 1), count - 1);
    for (let index = first; index <= last; index++) {
      throwIfAborted(signal, `cannot read ${this.#file.name}`);
      const plaintext = await this.#readSegment(index, index === count - 1);
      const from = Math.max(0, start - index * segmentSize);
      const to = Math.min(plaintext.length, end - index * segmentSize);
      if (to > from) yield plaintext.subarray(from, to);
    }
  }

  async #readSegment(index: number, final: boolean): Promise<Uint8Array> {
    const size = sealedSegmentSize(segmentPlainSize(index, this.#file.sizeBytes, this.#log2));
    const token = await readExactly(this.#handle, segmentOffset(index, this.#log2), size, this.#file);
    try {
      return openSegment(this.#fileKey, { index, final, token });
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      throw damaged(
        'SEGMENT_DAMAGED',
        `${this.#file.name} is damaged: segment ${String(index)} is not authentic`,
        error,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fileKey[Symbol.dispose]();
    await this.#handle.close();
  }
}

async function openSealed(path: string, file: SealedFileRef): Promise<FileHandle> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') throw missing(file, error);
    throw error;
  }
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  throw missing(file);
}

function decode(header: Uint8Array, file: SealedFileRef, keys: StorageKeys): ReturnType<typeof decodeHeader> {
  try {
    return decodeHeader(header, {
      storageKeyOf: (epoch) => keys.find(epoch),
      fileId: fileIdToBytes(file.id),
    });
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    switch (error.code) {
      case 'WRONG_FILE':
        throw damaged('FILE_SWAPPED', `${file.name} is damaged: its sealed file is another file's`, error);
      case 'UNSUPPORTED':
        throw damaged('HEADER_UNSUPPORTED', `${file.name} cannot be read: ${error.message}`, error);
      case 'UNKNOWN_KEY_EPOCH':
        throw damaged(
          'KEY_EPOCH_UNKNOWN',
          `${file.name} is sealed under a key that this vault does not have`,
          error,
        );
      default:
        throw damaged(
          'HEADER_DAMAGED',
          `${file.name} is damaged: its sealed file has no authentic header`,
          error,
        );
    }
  }
}

async function readExactly(
  handle: FileHandle,
  position: number,
  sizeBytes: number,
  file: SealedFileRef,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  for (let done = 0; done < sizeBytes;) {
    const { bytesRead } = await handle.read(bytes, done, sizeBytes - done, position + done);
    if (bytesRead === 0) throw truncated(file, position + done, position + sizeBytes);
    done += bytesRead;
  }
  return bytes;
}

function missing(file: SealedFileRef, cause?: unknown): StorageError {
  return damaged(
    'FILE_MISSING',
    `${file.name} is lost: its sealed file files/${file.id}.enc is missing`,
    cause,
  );
}

function truncated(file: SealedFileRef, size: number, expected: number): StorageError {
  const sizes = `${String(size)} bytes instead of ${String(expected)}`;
  return damaged('FILE_TRUNCATED', `${file.name} is damaged: its sealed file is cut off (${sizes})`);
}

function extended(file: SealedFileRef, size: number, expected: number): StorageError {
  const sizes = `${String(size)} bytes instead of ${String(expected)}`;
  return damaged('FILE_EXTENDED', `${file.name} is damaged: its sealed file has bytes added (${sizes})`);
}
