import {
  FileKey,
  SEALED_FILE,
  encodeHeader,
  sealSegmentInto,
  sealedFileSize,
  sealedSegmentSize,
} from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { fileIdToBytes } from '@coffer/database';
import { StorageError } from './errors.ts';
import { OutputFile } from './output-file.ts';
import type { SealJob } from './pool/job.ts';
import type { RunningJob, SegmentPool } from './pool/segment-pool.ts';
import type { PlainSegment } from './segments.ts';
import type { StorageKeys } from './storage-keys.ts';

/** 2^44 bytes, the same bound as a transfer has. */
export const MAX_FILE_SIZE_BYTES: number = 2 ** 44;

/**
 * Writes one sealed file under a temporary name, 0600, header first. Nothing but sealed bytes ever reaches the disk.
 * Shredding what was not finished is the caller's.
 */
export class SealedWriter implements AsyncDisposable {
  readonly #file: OutputFile;
  readonly #fileKey: FileKey;
  /** Filled again for each segment. */
  readonly #token = new Uint8Array(sealedSegmentSize(2 ** SEALED_FILE.SEGMENT_SIZE_LOG2));
  #offset = 0;

  private constructor(file: OutputFile, fileKey: FileKey) {
    this.#file = file;
    this.#fileKey = fileKey;
  }

  static async create(path: string, id: FileId, keys: StorageKeys): Promise<SealedWriter> {
    const writer = new SealedWriter(await OutputFile.create(path, 0o600), FileKey.generate());
    try {
      const keyEpoch = keys.currentEpoch;
      const header = {
        fileId: fileIdToBytes(id),
        keyEpoch,
        sequence: 1n,
        segmentSizeLog2: SEALED_FILE.SEGMENT_SIZE_LOG2,
      };
      await writer.#write(encodeHeader(keys.get(keyEpoch), writer.#fileKey, header));
      return writer;
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Seals and appends the next segment. Segments come in order. */
  async append({ index, final, plaintext }: PlainSegment): Promise<void> {
    if (this.#offset > sealedFileSize(MAX_FILE_SIZE_BYTES)) {
      throw new StorageError('TOO_LARGE', 'a file may have at most 16 TiB (2^44 bytes)');
    }
    const size = sealSegmentInto(this.#fileKey, { index, final, plaintext }, this.#token);
    await this.#write(this.#token.subarray(0, size));
  }

  /**
   * Lets the pool's threads seal the segments of `range` instead. They read them from `source`, or from the ring. `undefined` when the
   * pool is busy. The job is disposed of before this writer.
   */
  async tryShare(
    pool: SegmentPool,
    source: SealJob['source'],
    range: { readonly first: number; readonly count: number | undefined },
    signal: AbortSignal | undefined,
  ): Promise<RunningJob | undefined> {
    await this.#file.preferDirect();
    const fileKey = this.#fileKey.exportBytes();
    return pool.tryStart({ kind: 'seal', fileKey, source }, { ...range, output: this.#file, signal });
  }

  /** Makes the bytes durable. The file keeps its temporary name; the folder is the caller's to sync. */
  async finish(): Promise<void> {
    await this.#file.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fileKey[Symbol.dispose]();
    await this.#file[Symbol.asyncDispose]();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.#offset);
    this.#offset += bytes.length;
  }
}
