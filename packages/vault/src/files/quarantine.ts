import type { CofferDatabase } from '@coffer/database';
import type { FileStorage, QuarantinedFile as StoredQuarantinedFile } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { joinPath, toFileEntries } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { placeFile } from './place-file.ts';

/** A sealed file in `quarantine/`, which no file of the vault named when it was found. */
export interface QuarantinedFile {
  /** In `quarantine/`. Items are names, or the beginning of one (4 hex digits or more). */
  readonly name: string;
  /** 32 hex digits. */
  readonly id: string;
  /** On disk. */
  readonly sizeBytes: number;
  /** When the sealed file was last written: when it was saved, mostly. */
  readonly modifiedAtMs: number;
  /** Whether its header and its end open with a key of this vault. What is in between is read when it is adopted. */
  readonly opens: boolean;
  /** Of its content, when it opens. */
  readonly contentSizeBytes?: number;
  /** Why it does not open. */
  readonly problem?: string;
  /** The file of this vault that has its id: adopting gives it its content back. */
  readonly path?: string;
}

export type AdoptEvent =
  | { readonly type: 'adopted'; readonly quarantined: QuarantinedFile; readonly file: FileEntry }
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError };

export type DropEvent =
  | { readonly type: 'dropped'; readonly quarantined: QuarantinedFile }
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError };

export interface AdoptOptions {
  /** Of the only item. `recovered-`, the beginning of its id and an ending by its type when not given, numbered when it is taken. */
  readonly name?: string;
  /** `''`, the root, when not given. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

interface QuarantineContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
}

export async function listQuarantine({ storage }: QuarantineContext): Promise<QuarantinedFile[]> {
  try {
    return (await storage.listQuarantine()).map(toQuarantinedFile);
  } catch (error) {
    throw toVaultError(error);
  }
}

/** Brings files back, each once all of it is verified; what can't be is named and the others go on. */
export async function* adoptFiles(
  { database, storage }: QuarantineContext,
  items: readonly string[],
  { name, folder = '', signal, onProgress }: AdoptOptions,
): AsyncGenerator<AdoptEvent, void, undefined> {
  if (name !== undefined && items.length !== 1)
    throw new VaultError('INVALID_INPUT', 'a name is for one file: name the others later, by moving them');
  const found = await listQuarantine({ database, storage });
  const bytes = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const meter = new BulkMeter(onProgress, items.length === 1 ? undefined : { files: items.length, bytes });
  for (const item of items) {
    try {
      const quarantined = findItem(found, item);
      meter.begin(quarantined.name);
      const row = await storage.adoptQuarantined(quarantined.name, {
        ...(name === undefined ? {} : { name }),
        folder,
        ...(signal === undefined ? {} : { signal }),
        onProgress: (bytesDone) => {
          meter.advance(bytesDone);
        },
        place: (draft) => {
          const onConflict = name === undefined ? 'rename' : 'fail';
          return placeFile(database, draft.folder, draft.name, onConflict) ?? draft;
        },
      });
      meter.end(row.sizeBytes);
      const [file] = toFileEntries(database, [row]);
      if (file !== undefined) yield { type: 'adopted', quarantined, file };
    } catch (error) {
      const failure = toVaultError(error);
      if (failure.code === 'ABORTED') throw failure;
      yield { type: 'failed', item, error: failure };
    }
  }
  meter.finish();
}

/** Destroys files in the quarantine: overwritten where their key is, then unlinked. */
export async function* dropFiles(
  context: QuarantineContext,
  items: readonly string[],
  { signal }: { readonly signal?: AbortSignal },
): AsyncGenerator<DropEvent, void, undefined> {
  const found = await listQuarantine(context);
  for (const item of items) {
    if (signal?.aborted === true) throw new VaultError('ABORTED', 'it was cancelled');
    try {
      const quarantined = findItem(found, item);
      await context.storage.dropQuarantined(quarantined.name);
      yield { type: 'dropped', quarantined };
    } catch (error) {
      yield { type: 'failed', item, error: toVaultError(error) };
    }
  }
}

function toQuarantinedFile(file: StoredQuarantinedFile): QuarantinedFile {
  const { name, id, sizeBytes, modifiedAtMs, contentSizeBytes, problem, row } = file;
  return {
    name,
    id,
    sizeBytes,
    modifiedAtMs,
    opens: problem === undefined,
    ...(contentSizeBytes === undefined ? {} : { contentSizeBytes }),
    ...(problem === undefined ? {} : { problem: problem.message }),
    ...(row === undefined ? {} : { path: joinPath(row.folder, row.name) }),
  };
}

function findItem(found: readonly QuarantinedFile[], item: string): QuarantinedFile {
  const hint = '`coffer quarantine ls` lists what is there';
  const exact = found.find(({ name }) => name === item);
  if (exact !== undefined) return exact;
  const matching = /^[0-9a-f]{4,32}$/.test(item) ? found.filter(({ id }) => id.startsWith(item)) : [];
  const [first, second] = matching;
  if (first === undefined) {
    throw new VaultError('NOT_FOUND', `there is no ${JSON.stringify(item)} in the quarantine`, { hint });
  }
  if (second === undefined) return first;
  throw new VaultError('AMBIGUOUS', `${JSON.stringify(item)} stands for more than one file`, {
    candidates: matching.map(({ name }) => name),
    hint: 'use the whole name',
  });
}
