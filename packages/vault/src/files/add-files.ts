import type { FileStorage, FileSource } from '@coffer/storage';
import { parseFileName, parseFolder } from '@coffer/storage';
import type { CofferDatabase } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { joinPath, toFileEntry } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import type { OwnFiles } from './own-files.ts';
import { placeFile } from './place-file.ts';
import type { OnConflict } from './place-file.ts';
import { parseTags } from './tags.ts';
import { walkSources } from './walk-sources.ts';
import type { SkipReason, WalkOptions, Walked } from './walk-sources.ts';

export type AddEvent =
  | { readonly type: 'added'; readonly source: string; readonly file: FileEntry; readonly replaced?: string }
  | { readonly type: 'planned'; readonly source: string; readonly path: string; readonly sizeBytes: number }
  | { readonly type: 'skipped'; readonly source: string; readonly reason: SkipReason | 'exists' }
  | { readonly type: 'failed'; readonly source: string; readonly error: VaultError };

interface AddOptions {
  /** The folder of the vault to add to; `''`, the root, when not given. */
  readonly folder?: string;
  readonly tags?: readonly string[];
  /** `fail` when not given. */
  readonly onConflict?: OnConflict;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

export interface AddPathsOptions extends AddOptions {
  /** Without it folders are skipped. */
  readonly recursive?: boolean;
  /** Another name; for one path only. */
  readonly name?: string;
  /** Globs of what is left out. */
  readonly exclude?: readonly string[];
  /** Say what would be added, and add nothing. */
  readonly dryRun?: boolean;
}

export interface AddStreamOptions extends AddOptions {
  readonly name: string;
  readonly mimeType?: string;
}

export interface AddContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly own: OwnFiles;
}

/**
 * Adds files and folders of this machine. Each file is durable before its event is yielded. What can't be added is named and the
 * others go on; only cancelling ends it early, with `ABORTED`.
 */
export async function* addPaths(
  context: AddContext,
  paths: readonly string[],
  options: AddPathsOptions,
): AsyncGenerator<AddEvent, void, undefined> {
  if (options.name !== undefined && paths.length !== 1) {
    throw new VaultError('INVALID_INPUT', 'a name can be given to one file only');
  }
  const prepared = parseOptions(options);
  const walkOptions: WalkOptions = {
    recursive: options.recursive ?? false,
    folder: prepared.folder,
    exclude: options.exclude ?? [],
    own: context.own,
  };
  const meter = new BulkMeter(options.onProgress, options.onProgress && (await measure(paths, walkOptions)));
  for await (const walked of walkSources(paths, walkOptions)) {
    throwIfAborted(options.signal);
    if (walked.kind !== 'file') {
      yield walked.kind === 'skipped'
        ? { type: 'skipped', source: walked.source, reason: walked.reason }
        : { type: 'failed', source: walked.source, error: walked.error };
      continue;
    }
    const named =
      options.name === undefined || walked.source !== paths[0] ? walked : { ...walked, name: options.name };
    yield options.dryRun === true
      ? plan(context, named, prepared)
      : await addWalked(context, named, prepared, meter);
  }
  meter.finish();
}

/** Adds what a stream yields, as one file. */
export async function addStream(
  context: AddContext,
  source: AsyncIterable<Uint8Array>,
  options: AddStreamOptions,
): Promise<AddEvent> {
  const prepared = { ...parseOptions(options), mimeType: options.mimeType };
  const meter = new BulkMeter(options.onProgress, undefined);
  meter.begin(options.name);
  const event = await addOne(
    context,
    { source, label: '-', folder: prepared.folder, name: options.name },
    prepared,
    meter,
  );
  if (event.type === 'added') meter.end(event.file.sizeBytes);
  meter.finish();
  return event;
}

interface Prepared {
  readonly folder: string;
  readonly tags: readonly string[];
  readonly onConflict: OnConflict;
  readonly signal: AbortSignal | undefined;
  readonly mimeType?: string | undefined;
}

function parseOptions(options: AddOptions): Prepared {
  try {
    return {
      folder: parseFolder((options.folder ?? '').replace(/^\/+|\/+$/g, '')),
      tags: parseTags(options.tags ?? []),
      onConflict: options.onConflict ?? 'fail',
      signal: options.signal,
    };
  } catch (error) {
    throw toVaultError(error);
  }
}

interface OneFile {
  readonly source: FileSource;
  /** How events call the source. */
  readonly label: string;
  readonly folder: string;
  readonly name: string;
}

async function addWalked(
  context: AddContext,
  walked: Walked & { readonly kind: 'file' },
  prepared: Prepared,
  meter: BulkMeter,
): Promise<AddEvent> {
  meter.begin(walked.source);
  try {
    const { folder, name } = walked;
    return await addOne(
      context,
      { source: { path: walked.source }, label: walked.source, folder, name },
      prepared,
      meter,
    );
  } catch (error) {
    const failure = toVaultError(error);
    if (failure.code === 'ABORTED') throw failure;
    return { type: 'failed', source: walked.source, error: failure };
  } finally {
    meter.end(walked.sizeBytes);
  }
}

async function addOne(
  context: AddContext,
  file: OneFile,
  prepared: Prepared,
  meter: BulkMeter,
): Promise<AddEvent> {
  const { database, storage } = context;
  const { onConflict, tags, signal, mimeType } = prepared;
  try {
    const folder = parseFolder(file.folder);
    const name = parseFileName(file.name);
    // Asked first, so that a large file is not sealed for nothing; decided in the transaction.
    if (placeFile(database, folder, name, onConflict) === undefined) {
      return { type: 'skipped', source: file.label, reason: 'exists' };
    }
    let replaced: string | undefined;
    const row = await storage.saveFile(file.source, {
      name,
      folder,
      tags,
      ...(mimeType === undefined ? {} : { mimeType }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (bytesDone) => {
        meter.advance(bytesDone);
      },
      place: () => {
        const place = placeFile(database, folder, name, onConflict);
        if (place === undefined) throw new Skipped();
        replaced = place.replaces;
        return place;
      },
    });
    const entry = toFileEntry(row, tags);
    return {
      type: 'added',
      source: file.label,
      file: entry,
      ...(replaced === undefined ? {} : { replaced }),
    };
  } catch (error) {
    if (error instanceof Skipped) return { type: 'skipped', source: file.label, reason: 'exists' };
    throw toVaultError(error);
  }
}

/** Undoes a save inside its transaction: somebody else took the path while the file was sealed. */
class Skipped extends Error {}

function plan(context: AddContext, walked: Walked & { readonly kind: 'file' }, prepared: Prepared): AddEvent {
  const { source, sizeBytes } = walked;
  try {
    const folder = parseFolder(walked.folder);
    const place = placeFile(context.database, folder, parseFileName(walked.name), prepared.onConflict);
    if (place === undefined) return { type: 'skipped', source, reason: 'exists' };
    return { type: 'planned', source, path: joinPath(place.folder, place.name), sizeBytes };
  } catch (error) {
    return { type: 'failed', source, error: toVaultError(error) };
  }
}

async function measure(
  paths: readonly string[],
  options: WalkOptions,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for await (const walked of walkSources(paths, options)) {
    if (walked.kind !== 'file') continue;
    files++;
    bytes += walked.sizeBytes;
  }
  return { files, bytes };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError('ABORTED', 'it was cancelled', { cause: signal.reason });
}
