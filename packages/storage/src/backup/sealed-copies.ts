import { rename } from 'node:fs/promises';
import { CryptoError, decodeHeader, sealedFileSize } from '@coffer/crypto';
import type { FileKey } from '@coffer/crypto';
import type { FileRow } from '@coffer/database';
import { fileIdToBytes } from '@coffer/database';
import { StorageError, damaged } from '../errors.ts';
import { verifySealed } from '../read-file.ts';
import { badHeader, extended, missing, truncated } from '../sealed-damage.ts';
import { shredFile } from '../sealed-folder.ts';
import type { SealedFolder } from '../sealed-folder.ts';
import type { StorageContext } from '../storage-context.ts';
import { isSealedUnder } from './same-content.ts';
import { SealedCopier, SourceUnreadable } from './copy-sealed.ts';
import type { CopyOptions, CopySource } from './copy-sealed.ts';
import { findSealed, isSameFile, openSource, readFound, tryOpen } from './found-file.ts';
import type { Found } from './found-file.ts';

/** How the next backup comes to have a sealed file. */
export type Secured =
  | { readonly kind: 'copied' | 'unchanged' }
  /** The backup has the file, under another header. */
  | { readonly kind: 'header'; readonly header: Uint8Array }
  /** The storage's own file is damaged or lost; `has` is what the backup has of it. */
  | {
      readonly kind: 'failed';
      readonly has: 'earlier copy' | 'damaged copy' | 'nothing';
      /** What the earlier copy needs to be read with. */
      readonly header?: Uint8Array;
      readonly error: StorageError;
    };

export interface SecureOptions extends CopyOptions {
  /** Say what would be done, and do nothing. */
  readonly dryRun: boolean;
  /** Read and authenticate each file of the backup, also those that it has already. */
  readonly verify: boolean;
}

interface Opened {
  readonly fileKey: FileKey;
  readonly segmentSizeLog2: number;
}

/**
 * Brings the sealed files of a storage into a backup: those that `kept`, the files of the backup so far, does not have go into `staged`. A copy
 * counts as the same file when its length and both of its header places are: what is under one file key never changes, and times prove nothing. When only the header
 * is another one, the file key in it shows whether the content is the same.
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
    const source = await openSource(this.#context.folder, row.id);
    if (source === undefined)
      return {
        kind: 'failed',
        has: this.#isWhole(row, kept) ? 'earlier copy' : 'nothing',
        error: missing(row, await this.#context.folder.lookAt(row.id)),
      };
    try {
      const found = await readFound(source.handle);
      const opened = this.#open(row, found);
      if (opened instanceof StorageError)
        return await this.#fromDamaged(row, { ...source, ...found }, kept, opened, options);
      try {
        const error = await this.#knownDamage(row, options);
        if (error !== undefined)
          return await this.#fromDamaged(row, { ...source, ...found }, kept, error, options);
        return await this.#bring(row, { ...source, ...found, ...opened }, kept, options);
      } finally {
        opened.fileKey[Symbol.dispose]();
      }
    } catch (error) {
      if (!(error instanceof SourceUnreadable)) throw error;
      return {
        kind: 'failed',
        has: this.#isWhole(row, kept) ? 'earlier copy' : 'nothing',
        error: unreadable(row, error),
      };
    } finally {
      await source.handle.close();
    }
  }

  async #bring(
    row: FileRow,
    source: CopySource & Found & Opened,
    kept: Found | undefined,
    options: SecureOptions,
  ): Promise<Secured> {
    const { header } = source;
    const isSame = kept !== undefined && isSameFile(kept, source);
    if (isSame && this.#kept !== undefined && (await this.#damageIn(this.#kept, row, options)) === undefined)
      return { kind: 'unchanged' };
    const hasContent =
      !isSame && kept?.sizeBytes === source.sizeBytes && (await this.#hasContent(row, source));
    // A copy under an old header can't be read whole before it has the new one: to verify it is to copy it again.
    if (hasContent && !options.verify) return { kind: 'header', header };
    if (options.dryRun) return { kind: 'copied' };
    await this.#copy(row, source, options);
    const error = await this.#damageIn(this.#staged, row, options);
    if (error === undefined) return { kind: 'copied' };
    if (!hasContent) return { kind: 'failed', has: 'damaged copy', error };
    await shredFile(this.#staged.sealedPath(row.id));
    return { kind: 'failed', has: 'earlier copy', header, error };
  }

  /** What a check has found is looked at again: somebody may have put the file back. */
  async #knownDamage(row: FileRow, options: SecureOptions): Promise<StorageError | undefined> {
    if (row.condition === 'ok') return undefined;
    return await this.#damageIn(this.#context.folder, row, { ...options, verify: true, dryRun: false });
  }

  /** Damaged content is better than none, but never takes the place of a whole copy. */
  async #fromDamaged(
    row: FileRow,
    source: CopySource & Found,
    kept: Found | undefined,
    error: StorageError,
    options: SecureOptions,
  ): Promise<Secured> {
    if (this.#isWhole(row, kept) && !(await this.#isAsDamaged(row, source, kept, options)))
      return { kind: 'failed', has: 'earlier copy', error };
    if (!options.dryRun) await this.#copy(row, source, options);
    return { kind: 'failed', has: 'damaged copy', error };
  }

  /** Whether the backup has a copy of the damaged file: only one with the same header is read for it, another one was made before. */
  async #isAsDamaged(
    row: FileRow,
    source: Found,
    kept: Found | undefined,
    options: SecureOptions,
  ): Promise<boolean> {
    if (this.#kept === undefined || kept === undefined || !isSameFile(kept, source)) return false;
    const damage = await this.#damageIn(this.#kept, row, { ...options, verify: true, dryRun: false });
    return damage !== undefined;
  }

  /** Whether what the backup has is this file, as far as its length and header say. */
  #isWhole(row: FileRow, kept: Found | undefined): boolean {
    const opened = kept === undefined ? undefined : this.#open(row, kept);
    if (opened === undefined || opened instanceof StorageError) return false;
    opened.fileKey[Symbol.dispose]();
    return true;
  }

  async #hasContent(row: FileRow, opened: Opened): Promise<boolean> {
    const handle = this.#kept === undefined ? undefined : await tryOpen(this.#kept.sealedPath(row.id));
    if (handle === undefined) return false;
    try {
      return await isSealedUnder(handle, opened, row);
    } finally {
      await handle.close();
    }
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

  /** The file key in an authentic header of a file of the right length, which the caller disposes of; or what is wrong. */
  #open(row: FileRow, { sizeBytes, header }: Found): Opened | StorageError {
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
    const { fileKey } = decoded;
    const { segmentSizeLog2 } = decoded.header;
    const expected = sealedFileSize(row.sizeBytes, segmentSizeLog2);
    if (sizeBytes === expected) return { fileKey, segmentSizeLog2 };
    fileKey[Symbol.dispose]();
    return sizeBytes < expected ? truncated(row, sizeBytes, expected) : extended(row, sizeBytes, expected);
  }
}

function unreadable(row: FileRow, error: SourceUnreadable): StorageError {
  return damaged('SEGMENT_DAMAGED', `the sealed file of ${row.name} is damaged: ${error.message}`, error);
}
