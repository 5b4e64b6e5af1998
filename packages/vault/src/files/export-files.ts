import type { CofferDatabase, FileRow } from '@coffer/database';
import type { FileStorage } from '@coffer/storage';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { ChecksumList } from './checksum-list.ts';
import { joinPath } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { hasContent } from './has-content.ts';
import { makeFoldersBelow, toLocalName } from './local-path.ts';
import type { FolderGuard } from './local-path.ts';
import type { OwnFiles } from './own-files.ts';
import { findReadableRows, toReadableEntry } from './readable-rows.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { makeFolders } from '../make-folders.ts';

/** What became of one file, and at the end the list of checksums. */
export type ExportEvent =
  | { readonly type: 'exported'; readonly file: FileEntry; readonly destination: string }
  | { readonly type: 'kept'; readonly file: FileEntry; readonly destination: string }
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError }
  | { readonly type: 'checksums'; readonly destination: string; readonly files: number };

export interface ExportOptions {
  /** A folder. It is made, for this user alone (0700), or it is empty, unless `force` or `skipExisting` is given. */
  readonly destination: string;
  /** Taken from the modes of new files and folders, instead of that of this process. */
  readonly umask?: number;
  /** Replace files that exist. */
  readonly force?: boolean;
  /** Go on where an earlier export ended: keep what is there already with the same SHA-256. */
  readonly skipExisting?: boolean;
  /** Write `SHA256SUMS`, which `sha256sum -c` reads, of all files that are there in the end. */
  readonly checksums?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

interface ExportContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly own: OwnFiles;
}

/**
 * Writes plain files under their whole paths below one folder: everything, or some items. Each is verified before it appears under its
 * name; nothing leaves the folder. What can't be exported is named and the others go on. Ends early with `ABORTED`, and with `NO_SPACE`.
 * Throws `EXISTS` when the folder has something in it.
 */
export async function* exportPaths(
  context: ExportContext,
  items: readonly string[],
  options: ExportOptions,
): AsyncGenerator<ExportEvent, void, undefined> {
  const rows = new Map<string, FileRow>();
  for (const item of items.length === 0 ? ['/'] : items) {
    try {
      const found = findReadableRows(context.database, item);
      for (const row of found.rows) rows.set(row.id, row);
      for (const { item: lost, error } of found.lost) yield { type: 'failed', item: lost, error };
    } catch (error) {
      yield { type: 'failed', item, error: toVaultError(error) };
    }
  }
  if (rows.size === 0 && items.length > 0) return;
  await prepareFolder(context.own, options);
  await using checksums =
    options.checksums === true
      ? await ChecksumList.create(options.destination, [...rows.values()])
      : undefined;
  const exporter = new Exporter(context, options, await context.own.guardBelow(options.destination));
  const bytes = [...rows.values()].reduce((sum, row) => sum + row.sizeBytes, 0);
  const meter = new BulkMeter(options.onProgress, { files: rows.size, bytes });
  for (const row of rows.values()) {
    meter.begin(joinPath(row.folder, row.name));
    try {
      const event = await exporter.export(row, meter);
      await checksums?.add(row, relative(options.destination, event.destination));
      yield event;
    } catch (error) {
      const failure = toFailure(error, row);
      if (failure.code === 'ABORTED' || failure.code === 'NO_SPACE') throw failure;
      yield { type: 'failed', item: joinPath(row.folder, row.name), error: failure };
    } finally {
      meter.end(row.sizeBytes);
    }
  }
  if (checksums !== undefined) {
    const destination = await checksums.finish();
    yield { type: 'checksums', destination, files: checksums.files };
  }
  meter.finish();
}

class Exporter {
  readonly #context: ExportContext;
  readonly #options: ExportOptions;
  readonly #guard: FolderGuard;
  /** What this export has put there, by identity: a disk that ignores case shows one file under two names. */
  readonly #written = new Map<string, string>();
  /** Folders that have been looked at for what an earlier export left. */
  readonly #tidied: Set<string>;

  constructor(context: ExportContext, options: ExportOptions, guard: FolderGuard) {
    this.#context = context;
    this.#options = options;
    this.#guard = guard;
    this.#tidied = new Set([options.destination]);
  }

  async export(
    row: FileRow,
    meter: BulkMeter,
  ): Promise<ExportEvent & { readonly type: 'exported' | 'kept' }> {
    const { force = false, skipExisting = false, umask, signal } = this.#options;
    const folder = await makeFoldersBelow(
      this.#options.destination,
      row.folder === '' ? [] : row.folder.split('/'),
      { guard: this.#guard, cwd: process.cwd(), umask },
    );
    if (skipExisting && !this.#tidied.has(folder)) {
      this.#tidied.add(folder);
      await removeLeftovers(folder);
    }
    const destination = join(folder, toLocalName(row.name));
    const file = toReadableEntry(this.#context.database, row);
    const found = await statOf(destination);
    if (found !== undefined) {
      this.#refuseCollision(found, destination);
      if (skipExisting && (await hasContent(destination, row, signal))) {
        this.#written.set(identity(found), file.path);
        return { type: 'kept', file, destination };
      }
    }
    await this.#context.storage.writeFileTo(row.id, destination, {
      overwrite: force,
      ...(umask === undefined ? {} : { mode: 0o666 & ~umask }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (bytesDone) => {
        meter.advance(bytesDone);
      },
    });
    const written = await statOf(destination);
    if (written !== undefined) this.#written.set(identity(written), file.path);
    return { type: 'exported', file, destination };
  }

  #refuseCollision(found: BigIntStats, destination: string): void {
    const other = this.#written.get(identity(found));
    if (other === undefined) return;
    throw new VaultError('EXISTS', `${destination} is ${other} already: this disk takes both names for one`, {
      hint: 'rename one of them with `coffer mv`, or export it to another folder',
    });
  }
}

async function prepareFolder(own: OwnFiles, options: ExportOptions): Promise<void> {
  const { destination, force = false, skipExisting = false } = options;
  if (destination === '') throw new VaultError('INVALID_INPUT', 'the folder to export to is empty');
  if (await own.contains(destination)) {
    throw new VaultError('INVALID_INPUT', `${destination} is inside the vault's own folder`, {
      hint: 'choose another place',
    });
  }
  try {
    // What comes out of a vault is not for everybody on the machine.
    await makeFolders(destination, 0o700);
    if (skipExisting) await removeLeftovers(destination);
    if (force || skipExisting || (await readdir(destination)).length === 0) return;
  } catch (error) {
    const found = await stat(destination).catch(() => undefined);
    if (found?.isDirectory() === false) throw new VaultError('NOT_A_FILE', `${destination} is not a folder`);
    throw errnoToVaultError(error, `cannot export to the folder ${destination}`);
  }
  throw new VaultError('EXISTS', `${destination} has something in it already`, {
    hint: 'use an empty folder, --skip-existing to go on with an earlier export, or --force to replace files',
  });
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw errnoToVaultError(error, `cannot write ${path}`);
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${String(dev)}:${String(ino)}`;
}

function toFailure(error: unknown, row: FileRow): VaultError {
  const failure = toVaultError(error);
  const { code, message } = failure;
  if (code === 'NO_SPACE') {
    return new VaultError(code, message, {
      cause: error,
      hint: 'free some space and export again with --skip-existing: what is there already is kept',
    });
  }
  if (code === 'EXISTS' && !(error instanceof VaultError)) {
    return new VaultError(code, message, {
      cause: error,
      hint: 'use --force to replace it, or --skip-existing to keep it if it is the same',
    });
  }
  return isUnfitName(failure) ? unfitName(row, failure) : failure;
}

/** What FAT (EINVAL) and file systems that hold names to an encoding (EILSEQ) answer. */
function isUnfitName(error: VaultError): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (['EINVAL', 'EILSEQ', 'ENAMETOOLONG'].includes(errnoOf(cause) ?? '')) return true;
  }
  return false;
}

function unfitName(row: FileRow, cause: VaultError): VaultError {
  const path = joinPath(row.folder, row.name);
  return new VaultError('INVALID_INPUT', `the file system of the folder does not take the name ${path}`, {
    cause,
    hint: 'rename it with `coffer mv`, get it under another name with `coffer get -o`, or export to another disk',
  });
}
