import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import {
  CryptoError,
  SEALED_FILE,
  createSha256,
  decodeHeader,
  openSegment,
  sealedFileShape,
  sealedFileSize,
  sealedSegmentSize,
  segmentCount,
  segmentOffset,
  segmentPlainSize,
} from '@coffer/crypto';
import type { DecodedHeader, FileKey } from '@coffer/crypto';
import { fileIdToBytes } from '@coffer/database';
import { errnoOf } from './errno.ts';
import { throwIfAborted } from './errors.ts';
import { openSizedSegment } from './open-sized-segment.ts';
import type { OutputFile } from './output-file.ts';
import { JobFailure } from './pool/segment-pool.ts';
import type { RunningJob, SegmentPool } from './pool/segment-pool.ts';
import {
  badHeader,
  cutOff,
  damagedSegment,
  extended,
  missing,
  truncated,
  unreadable,
} from './sealed-damage.ts';
import type { SealedFileRef } from './sealed-damage.ts';
import { findStats } from './sealed-folder.ts';
import { giveBackSegmentBuffers, takeSegmentBuffers } from './segment-buffers.ts';
import type { SegmentBuffers } from './segment-buffers.ts';
import type { StorageKeys } from './storage-keys.ts';

interface ReadSealedOptions {
  /** Lets its threads do the work, when it is not busy. */
  readonly pool: SegmentPool | undefined;
  readonly signal: AbortSignal | undefined;
}

interface ReadOptions extends ReadSealedOptions {
  /** Whether the caller is done with each piece before asking for the next. */
  readonly transient: boolean;
}

interface SegmentsOptions extends ReadSealedOptions {
  /** Where each segment is written too, at its place. */
  readonly target?: OutputFile | undefined;
}

interface HashSealedOptions extends SegmentsOptions {
  /** Called with the plaintext bytes done so far. */
  readonly onProgress?: ((bytesDone: number) => void) | undefined;
}

/** Reads a sealed file whose length and header have been checked. Yields nothing that was not authenticated. */
export class SealedReader implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #fileKey: FileKey;
  readonly #file: SealedFileRef;
  readonly #log2: number;
  /** Whether the header's other place is empty. What is in it is never used, but somebody or something wrote it. */
  readonly isOtherPlaceFree: boolean;
  /** Filled again for each segment that this thread opens. */
  #buffers: SegmentBuffers | undefined;

  private constructor(
    handle: FileHandle,
    file: SealedFileRef,
    { fileKey, header, isOtherPlaceFree }: DecodedHeader,
  ) {
    this.#handle = handle;
    this.#fileKey = fileKey;
    this.#file = file;
    this.#log2 = header.segmentSizeLog2;
    this.isOtherPlaceFree = isOtherPlaceFree;
  }

  /**
   * Opens `path`. Throws `DAMAGED` with what kind: missing, truncated or extended against the row's size, a header that is
   * damaged, of an unknown version, of an unknown key epoch, or another file's.
   */
  static async open(path: string, file: SealedFileRef, keys: StorageKeys): Promise<SealedReader> {
    const handle = await openSealed(path, file);
    try {
      const { size } = await handle.stat();
      const header = new Uint8Array(SEALED_FILE.HEADER_SIZE_BYTES);
      await readExactly(handle, 0, header, file);
      const decoded = decode(header, file, keys);
      const expected = sealedFileSize(file.sizeBytes, decoded.header.segmentSizeLog2);
      if (size !== expected) {
        decoded.fileKey[Symbol.dispose]();
        throw size < expected ? truncated(file, size, expected) : extended(file, size, expected);
      }
      return new SealedReader(handle, file, decoded);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Opens a file that no row tells the size of: its final segment, which must be authentic as such, does. Throws `DAMAGED` as `open` does.
   */
  static async openUnsized(
    path: string,
    file: Omit<SealedFileRef, 'sizeBytes'>,
    keys: StorageKeys,
  ): Promise<{ reader: SealedReader; sizeBytes: number }> {
    const sizeBytes = await contentSizeOf(path, { ...file, sizeBytes: 0 }, keys);
    return { reader: await SealedReader.open(path, { ...file, sizeBytes }, keys), sizeBytes };
  }

  /** Plaintext bytes `start` to `end` (exclusive), in order, decrypting only the segments that cover them. */
  async *read(
    start: number,
    end: number,
    { pool, signal, transient }: ReadOptions,
  ): AsyncGenerator<Uint8Array> {
    const segmentSize = 2 ** this.#log2;
    const last = this.#count - 1;
    const first = Math.min(Math.floor(start / segmentSize), last);
    const behind = Math.min(Math.max(first, Math.ceil(end / segmentSize) - 1), last) + 1;
    for await (const { index, plaintext } of this.segments({ first, behind }, { pool, signal })) {
      const from = Math.max(0, start - index * segmentSize);
      const to = Math.min(plaintext.length, end - index * segmentSize);
      // The memory behind it is used again.
      if (to > from) yield transient ? plaintext.subarray(from, to) : plaintext.slice(from, to);
    }
  }

  /** The SHA-256 of the whole content, which is also written to `target`, each segment at its place. */
  async hash({ pool, signal, target, onProgress }: HashSealedOptions): Promise<Uint8Array> {
    const hash = createSha256();
    let bytesDone = 0;
    for await (const { plaintext } of this.segments(
      { first: 0, behind: this.#count },
      { pool, signal, target },
    )) {
      hash.update(plaintext);
      bytesDone += plaintext.length;
      onProgress?.(bytesDone);
    }
    return hash.digest();
  }

  /** Segments in order; each is authentic, and valid until the next one is asked for. */
  async *segments(
    { first, behind }: { readonly first: number; readonly behind: number },
    { pool, signal, target }: SegmentsOptions,
  ): AsyncGenerator<{ readonly index: number; readonly plaintext: Uint8Array }> {
    await using job = await this.#tryShare(pool, { first, count: behind }, target, signal);
    for (let index = first; index < behind; index++) {
      throwIfAborted(signal, `cannot read ${this.#file.name}`);
      if (job === undefined) {
        const plaintext = await this.#readSegment(index, index === this.#count - 1);
        await target?.write(plaintext, index * 2 ** this.#log2);
        yield { index, plaintext };
      } else {
        if (!(await job.untilReady(index)) || job.ring.hasFailed(index)) await this.#rethrow(job);
        yield { index, plaintext: job.ring.plaintext(index) };
        job.markConsumed(index);
      }
    }
    await job?.finish().catch(async () => this.#rethrow(job));
  }

  get #count(): number {
    return segmentCount(this.#file.sizeBytes, this.#log2);
  }

  async #tryShare(
    pool: SegmentPool | undefined,
    range: { readonly first: number; readonly count: number },
    target: OutputFile | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RunningJob | undefined> {
    // The ring's slots have one size, that of all segments this release writes.
    if (pool === undefined || this.#log2 !== SEALED_FILE.SEGMENT_SIZE_LOG2) return undefined;
    await target?.preferDirect();
    const fileKey = this.#fileKey.exportBytes();
    const { sizeBytes } = this.#file;
    const job = { kind: 'open' as const, fileKey, sealedFd: this.#handle.fd, sizeBytes };
    return pool.tryStart(job, { ...range, output: target, signal });
  }

  /** Says what a thread of the pool found in the words of this reader. */
  async #rethrow(job: RunningJob): Promise<never> {
    try {
      return await job.rethrow();
    } catch (error) {
      // Of the target, or that it was cancelled: nothing is wrong with this file.
      if (!(error instanceof JobFailure)) throw error;
      const { result } = error;
      if (result.type === 'damaged') throw damagedSegment(this.#file, result.index, error);
      if (result.type === 'truncated') throw cutOff(this.#file, error);
      throw readFailure(this.#file, error);
    }
  }

  async #readSegment(index: number, final: boolean): Promise<Uint8Array> {
    const size = sealedSegmentSize(segmentPlainSize(index, this.#file.sizeBytes, this.#log2));
    const buffers = (this.#buffers ??= takeSegmentBuffers(this.#log2));
    const token = buffers.token.subarray(0, size);
    await readExactly(this.#handle, segmentOffset(index, this.#log2), token, this.#file);
    const file = { sizeBytes: this.#file.sizeBytes, segmentSizeLog2: this.#log2 };
    const plaintext = openSizedSegment(this.#fileKey, { index, final, token }, file, buffers.plaintext);
    if (plaintext === undefined) throw damagedSegment(this.#file, index);
    return plaintext;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fileKey[Symbol.dispose]();
    if (this.#buffers !== undefined) giveBackSegmentBuffers(this.#buffers);
    this.#buffers = undefined;
    await this.#handle.close();
  }
}

/** Nothing, a link, a socket, something in the place of the folder. */
const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENODEV', 'ENOTDIR']);

/** What a bad sector holds is lost there: damage of this file, and no failure of the program. */
function readFailure(file: SealedFileRef, error: unknown): unknown {
  return errnoOf(error) === 'EIO' ? unreadable(file, error) : error;
}

async function contentSizeOf(path: string, file: SealedFileRef, keys: StorageKeys): Promise<number> {
  const handle = await openSealed(path, file);
  try {
    const { size } = await handle.stat();
    const headerBytes = new Uint8Array(SEALED_FILE.HEADER_SIZE_BYTES);
    await readExactly(handle, 0, headerBytes, file);
    const { fileKey, header } = decode(headerBytes, file, keys);
    try {
      const log2 = header.segmentSizeLog2;
      const shape = sealedFileShape(size, log2);
      const index = shape.segmentCount - 1;
      const token = new Uint8Array(shape.finalTokenSizeBytes);
      await readExactly(handle, segmentOffset(index, log2), token, file);
      return index * 2 ** log2 + openSegment(fileKey, { index, final: true, token }).length;
    } finally {
      fileKey[Symbol.dispose]();
    }
  } catch (error) {
    throw error instanceof CryptoError ? cutOff(file, error) : error;
  } finally {
    await handle.close();
  }
}

async function openSealed(path: string, file: SealedFileRef): Promise<FileHandle> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (!NOT_THERE.has(errnoOf(error) ?? '')) throw readFailure(file, error);
    throw missing(file, await findStats(path).catch(() => undefined), error);
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw missing(file, stats);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function decode(header: Uint8Array, file: SealedFileRef, keys: StorageKeys): DecodedHeader {
  try {
    return decodeHeader(header, {
      storageKeyOf: (epoch) => keys.find(epoch),
      fileId: fileIdToBytes(file.id),
    });
  } catch (error) {
    throw error instanceof CryptoError ? badHeader(file, error) : error;
  }
}

async function readExactly(
  handle: FileHandle,
  position: number,
  target: Uint8Array,
  file: SealedFileRef,
): Promise<void> {
  const { length } = target;
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle
      .read(target, done, length - done, position + done)
      .catch((error: unknown) => {
        throw readFailure(file, error);
      });
    if (bytesRead === 0) throw truncated(file, position + done, position + length);
    done += bytesRead;
  }
}
