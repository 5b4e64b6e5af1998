import { constants } from 'node:fs';
import { lstat, open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CryptoError, SEALED_FILE, decodeHeader, sealedFileSize } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { fileIdToBytes } from '@coffer/database';
import { StorageError, damaged, errnoOf } from '../errors.ts';
import { verifySealed } from '../read-file.ts';
import { badHeader, extended, missing, truncated } from '../sealed-damage.ts';
import { shredFile } from '../sealed-folder.ts';
import type { SealedFolder } from '../sealed-folder.ts';
import type { StorageContext } from '../storage-context.ts';
import { SealedCopier, SourceUnreadable } from './copy-sealed.ts';
import type { CopyOptions, CopySource } from './copy-sealed.ts';

/** How the next backup comes to have a sealed file. */
export type Secured =
  | { readonly kind: 'copied' | 'unchanged' }
  /** The backup has the file, under another header. */
  | { readonly kind: 'header'; readonly header: Uint8Array }
  /** The storage's own file is damaged or lost; `has` is what the backup has of it. */
  | {
      readonly kind: 'failed';
      readonly has: 'earlier copy' | 'damaged copy' | 'nothing';
      readonly error: StorageError;
    };

export interface SecureOptions extends CopyOptions {
  /** Say what would be done, and do nothing. */
  readonly dryRun: boolean;
  /** Read and authenticate each file of the backup, also those that it has already. */
  readonly verify: boolean;
}

/** A sealed file as it was found: its length, and its header region as far as it is there. */
interface Found {
  readonly sizeBytes: number;
  readonly header: Uint8Array;
}

/**
 * Brings the sealed files of a storage into a backup: those that `kept`, the files of the backup so far, does not have go into `staged`. A copy
 * counts as the same file when its length and both of its header places are: nothing else of a sealed file ever changes, and times prove nothing.
 */
export class SealedCopies {
  readonly #context: StorageContext;
  readonly #kept: SealedFolder | undefined;
  readonly #staged: SealedFolder;
  readonly #copier = new SealedCopier();

  constructor(context: StorageContext, kept: SealedFolder | undefined, staged: SealedFolder) {
    this.#context = context;
    this.#kept = kept;
    this.#staged = staged;
  }

  /** Throws what keeps the backup from going on, such as `NO_SPACE`; what is wrong with the storage's own file is a result. */
  async secure(row: FileRow, options: SecureOptions): Promise<Secured> {
    const kept = this.#kept === undefined ? undefined : await findSealed(this.#kept.sealedPath(row.id));
    const isKept = kept?.sizeBytes === sealedFileSize(row.sizeBytes);
    const source = await openSource(this.#context.folder, row.id);
    if (source === undefined) return await this.#withoutSource(row, isKept);
    try {
      const found = await readFound(source.handle);
      const error = this.#damageOf(row, found);
      if (error !== undefined) {
        if (isKept) return { kind: 'failed', has: 'earlier copy', error };
        // Damaged content is better than none, but never takes the place of a whole copy.
        if (!options.dryRun) await this.#copy(row, { ...source, ...found }, options);
        return { kind: 'failed', has: 'damaged copy', error };
      }
      return await this.#bring(row, { ...source, ...found }, kept, options);
    } catch (error) {
      if (!(error instanceof SourceUnreadable)) throw error;
      return { kind: 'failed', has: isKept ? 'earlier copy' : 'nothing', error: unreadable(row, error) };
    } finally {
      await source.handle.close();
    }
  }

  async #bring(
    row: FileRow,
    source: CopySource & Found,
    kept: Found | undefined,
    options: SecureOptions,
  ): Promise<Secured> {
    const hasContent = kept?.sizeBytes === source.sizeBytes;
    const isSame = hasContent && Buffer.compare(kept.header, source.header) === 0;
    if (isSame && this.#kept !== undefined && (await this.#damageIn(this.#kept, row, options)) === undefined)
      return { kind: 'unchanged' };
    // A copy under an old header can't be read before it has the new one: to verify it is to copy it again.
    if (hasContent && !isSame && !options.verify) return { kind: 'header', header: source.header };
    if (options.dryRun) return { kind: 'copied' };
    await this.#copy(row, source, options);
    const error = await this.#damageIn(this.#staged, row, options);
    return error === undefined ? { kind: 'copied' } : { kind: 'failed', has: 'damaged copy', error };
  }

  /** The storage's file is gone: deleted after the backup had its copy, or lost. */
  async #withoutSource(row: FileRow, isKept: boolean): Promise<Secured> {
    const isDeleted = this.#context.database.files.find(row.id) === undefined;
    const staged = await findSealed(this.#staged.sealedPath(row.id));
    if (isDeleted && staged?.sizeBytes === sealedFileSize(row.sizeBytes)) return { kind: 'copied' };
    if (isDeleted && isKept) return { kind: 'unchanged' };
    return { kind: 'failed', has: isKept ? 'earlier copy' : 'nothing', error: missing(row) };
  }

  /** Copies into the staging folder, where a file has its name only when it is whole and durable; what an interrupted backup left there is used. */
  async #copy(row: FileRow, source: CopySource & Found, options: SecureOptions): Promise<void> {
    const path = this.#staged.sealedPath(row.id);
    const staged = await findSealed(path);
    if (staged?.sizeBytes === source.sizeBytes && Buffer.compare(staged.header, source.header) === 0) {
      options.onProgress(source.sizeBytes);
      return;
    }
    await shredFile(path);
    const temporary = this.#staged.temporaryPath(row.id);
    await shredFile(temporary);
    try {
      await this.#copier.copy(source, temporary, options);
      const copy = await findSealed(temporary);
      if (copy?.sizeBytes !== source.sizeBytes || Buffer.compare(copy.header, source.header) !== 0) {
        throw new StorageError(
          'FAILED',
          `the copy of ${row.name} in the backup is not what was written there`,
        );
      }
      await rename(temporary, path);
    } catch (error) {
      // What made us give up is the error to report; the next backup removes what is left.
      await shredFile(temporary).catch(() => undefined);
      throw error;
    }
  }

  /** What reading a copy finds wrong with it, when that was asked for. */
  async #damageIn(
    folder: SealedFolder,
    row: FileRow,
    { verify, dryRun, signal }: SecureOptions,
  ): Promise<StorageError | undefined> {
    if (!verify || dryRun) return undefined;
    try {
      await verifySealed(this.#context, row, { path: folder.sealedPath(row.id), signal });
      return undefined;
    } catch (error) {
      if (error instanceof StorageError && error.code === 'DAMAGED') return error;
      throw error;
    }
  }

  #damageOf(row: FileRow, { sizeBytes, header }: Found): StorageError | undefined {
    let decoded;
    try {
      const { keys } = this.#context;
      decoded = decodeHeader(header, {
        storageKeyOf: (epoch) => keys.find(epoch),
        fileId: fileIdToBytes(row.id),
      });
    } catch (error) {
      if (error instanceof CryptoError) return badHeader(row, error);
      throw error;
    }
    decoded.fileKey[Symbol.dispose]();
    const expected = sealedFileSize(row.sizeBytes, decoded.header.segmentSizeLog2);
    if (sizeBytes === expected) return undefined;
    return sizeBytes < expected ? truncated(row, sizeBytes, expected) : extended(row, sizeBytes, expected);
  }
}

/** While a save is being finished its file has a row and still its temporary name; its bytes are durable under either. */
async function openSource(
  folder: SealedFolder,
  id: FileId,
): Promise<Omit<CopySource, 'sizeBytes'> | undefined> {
  for (const path of [folder.sealedPath(id), folder.temporaryPath(id), folder.sealedPath(id)]) {
    const handle = await tryOpen(path);
    if (handle !== undefined) return { path, handle };
  }
  return undefined;
}

/** What is under this name, or `undefined` when that is no regular file or can't be read. */
async function findSealed(path: string): Promise<Found | undefined> {
  const handle = await tryOpen(path);
  if (handle === undefined) return undefined;
  try {
    return await readFound(handle);
  } catch (error) {
    if (error instanceof SourceUnreadable) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}

async function tryOpen(path: string): Promise<FileHandle | undefined> {
  try {
    // A FIFO would keep us waiting for its other end.
    if (!(await lstat(path)).isFile()) return undefined;
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
}

async function readFound(handle: FileHandle): Promise<Found> {
  const { size } = await handle.stat();
  const header = new Uint8Array(Math.min(size, SEALED_FILE.HEADER_SIZE_BYTES));
  for (let done = 0; done < header.length;) {
    let bytesRead;
    try {
      ({ bytesRead } = await handle.read(header, done, header.length - done, done));
    } catch (error) {
      throw new SourceUnreadable('its header cannot be read', { cause: error });
    }
    if (bytesRead === 0) throw new SourceUnreadable('it was cut off');
    done += bytesRead;
  }
  return { sizeBytes: size, header };
}

function unreadable(row: FileRow, error: SourceUnreadable): StorageError {
  return damaged('SEGMENT_DAMAGED', `the sealed file of ${row.name} is damaged: ${error.message}`, error);
}
