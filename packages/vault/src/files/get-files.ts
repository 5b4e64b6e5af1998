import type { CofferDatabase, FileRow } from '@coffer/database';
import type { FileStorage } from '@coffer/storage';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { joinPath, splitPath } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { makeFolder, makeFoldersBelow, pathFrom, toLocalName } from './local-path.ts';
import type { FolderGuard, Origin } from './local-path.ts';
import type { OwnFiles } from './own-files.ts';
import { findReadableRows, toReadableEntry } from './readable-rows.ts';
import type { ReadableRows } from './readable-rows.ts';

export type GetEvent =
  | { readonly type: 'restored'; readonly file: FileEntry; readonly destination: string }
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError };

export interface GetOptions {
  /** A folder, or for a single file also the path it gets; the current folder when not given. */
  readonly destination?: string;
  /** Where a relative destination is taken from: the current folder when not given. */
  readonly cwd?: string;
  /** Taken from the modes of new files and folders, instead of that of this process. */
  readonly umask?: number;
  /** Replace files that exist. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

export interface GetContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly own: OwnFiles;
}

/**
 * Restores files and folders to this machine, with their folders and modification times. A file appears under its name only once it is
 * whole and verified. Nothing leaves the destination, whatever the stored names are. What can't be restored is named and the others go
 * on; only cancelling ends it early, with `ABORTED`.
 */
export async function* getPaths(
  context: GetContext,
  items: readonly string[],
  options: GetOptions,
): AsyncGenerator<GetEvent, void, undefined> {
  const origin: Origin = { cwd: options.cwd ?? process.cwd(), umask: options.umask };
  const wanted: Wanted[] = [];
  for (const item of items) {
    try {
      const found = findReadableRows(context.database, item);
      wanted.push(...wantedOf(found));
      for (const { item: lost, error } of found.lost) yield { type: 'failed', item: lost, error };
    } catch (error) {
      yield { type: 'failed', item, error: toVaultError(error) };
    }
  }
  // Why is said; what is wrong with the destination besides does not matter.
  if (wanted.length === 0) return;
  const target = await parseTarget(
    context.own,
    options.destination ?? '.',
    items.length === 1 ? wanted : undefined,
    origin,
  );
  const guard = await context.own.guardBelow(pathFrom(origin.cwd, options.destination ?? '.'));
  const bytes = wanted.reduce((sum, { row }) => sum + row.sizeBytes, 0);
  const meter = new BulkMeter(options.onProgress, { files: wanted.length, bytes });
  for (const each of wanted) {
    meter.begin(joinPath(each.row.folder, each.row.name));
    try {
      const destination = await destinationOf(target, each, { ...origin, guard });
      const row = await context.storage.writeFileTo(each.row.id, pathFrom(origin.cwd, destination), {
        overwrite: options.force ?? false,
        ...(origin.umask === undefined ? {} : { mode: 0o666 & ~origin.umask }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onProgress: (bytesDone) => {
          meter.advance(bytesDone);
        },
      });
      yield { type: 'restored', file: toReadableEntry(context.database, row), destination };
    } catch (error) {
      const failure = toVaultError(error);
      if (failure.code === 'ABORTED') throw failure;
      const hint =
        failure.code === 'EXISTS' && !(error instanceof VaultError)
          ? 'use --force to replace it, or -o for another place'
          : failure.hint;
      const path = joinPath(each.row.folder, each.row.name);
      yield { type: 'failed', item: path, error: hint === undefined ? failure : withHint(failure, hint) };
    } finally {
      meter.end(each.row.sizeBytes);
    }
  }
  meter.finish();
}

interface Wanted {
  readonly row: FileRow;
  /** Folders to make below the destination. */
  readonly below: readonly string[];
  readonly isFolderItem: boolean;
}

function wantedOf({ folder, rows }: ReadableRows): Wanted[] {
  if (folder === undefined) return rows.map((row) => ({ row, below: [], isFolderItem: false }));
  // As copying a folder does: the folder itself appears, not the folders it is in.
  const parent = splitPath(folder).folder;
  const prefixLength = parent === '' ? 0 : parent.length + 1;
  return rows.map((row) => ({
    row,
    below:
      row.folder === ''
        ? []
        : row.folder
            .slice(prefixLength)
            .split('/')
            .filter((part) => part !== ''),
    isFolderItem: true,
  }));
}

type Target =
  { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'file'; readonly path: string };

async function parseTarget(
  own: OwnFiles,
  destination: string,
  single: readonly Wanted[] | undefined,
  origin: Origin,
): Promise<Target> {
  const absolute = pathFrom(origin.cwd, destination);
  if (await own.contains(absolute)) {
    throw new VaultError('INVALID_INPUT', `${destination} is inside the vault's own folder`, {
      hint: 'choose another place with -o',
    });
  }
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isDirectory() === true) return { kind: 'folder', path: destination };
  const [only] = single ?? [];
  const isOneFile = only !== undefined && !only.isFolderItem;
  if (isOneFile && !/[\\/]$/.test(destination)) return { kind: 'file', path: destination };
  if (found !== undefined)
    throw new VaultError('NOT_A_FILE', `${destination} is not a folder; several files need one`);
  try {
    await makeFolder(absolute, { umask: origin.umask, recursive: true });
  } catch (error) {
    throw errnoToVaultError(error, `cannot make the folder ${destination}`);
  }
  return { kind: 'folder', path: destination };
}

async function destinationOf(
  target: Target,
  { row, below }: Wanted,
  origin: Origin & { readonly guard: FolderGuard },
): Promise<string> {
  if (target.kind === 'folder')
    return join(await makeFoldersBelow(target.path, below, origin), toLocalName(row.name));
  if ((await stat(pathFrom(origin.cwd, dirname(target.path))).catch(() => undefined))?.isDirectory() === true)
    return target.path;
  throw new VaultError('NOT_FOUND', `there is no folder ${dirname(target.path)} to put ${row.name} in`);
}

function withHint(error: VaultError, hint: string): VaultError {
  return new VaultError(error.code, error.message, { hint, cause: error });
}
