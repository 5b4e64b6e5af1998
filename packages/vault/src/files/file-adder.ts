import { constantTimeEqual } from '@coffer/crypto';
import type { CofferDatabase, FileId, FileRow } from '@coffer/database';
import { parseFileName, parseFolder } from '@coffer/storage';
import type { FileSource, FileStorage, FileToSave } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import type { AddEvent, AddNote } from './add-event.ts';
import type { BulkMeter } from './bulk-progress.ts';
import { emptyLog } from './empty-log.ts';
import { joinPath, toFileEntry } from './file-entry.ts';
import { hasSameFile, placeFile } from './place-file.ts';
import type { OnConflict } from './place-file.ts';

/** A file to add. */
export interface NewFile {
  readonly source: FileSource;
  /** How events call the source. */
  readonly label: string;
  readonly folder: string;
  readonly name: string;
  /** As far as it is known. */
  readonly sizeBytes: number;
  readonly mimeType?: string | undefined;
  readonly modifiedAtMs?: number | undefined;
  /** What the content has to be; anything else is `DAMAGED` and not added. */
  readonly expected?: ExpectedContent;
  readonly notes?: readonly AddNote[];
}

export interface ExpectedContent {
  readonly sizeBytes?: number;
  readonly sha256?: Uint8Array;
}

export interface AdderOptions {
  readonly tags: readonly string[];
  readonly onConflict: OnConflict;
  readonly mimeType?: string | undefined;
  /** Skip a file whose content is there already, under its name or a numbered one. */
  readonly skipSame?: boolean;
  readonly signal: AbortSignal | undefined;
}

interface AdderContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
}

/** Saves files one by one or together, and keeps paths unique. What fails becomes an event; only cancelling is thrown. */
export class FileAdder {
  readonly #context: AdderContext;
  readonly #options: AdderOptions;
  readonly #meter: BulkMeter;

  constructor(context: AdderContext, options: AdderOptions, meter: BulkMeter) {
    this.#context = context;
    this.#options = options;
    this.#meter = meter;
  }

  async add(file: NewFile): Promise<AddEvent> {
    const pending = this.#prepare(file);
    if (!(pending instanceof Pending)) return pending;
    const { source, options } = pending.toSave;
    const { signal } = this.#options;
    const saving = this.#context.storage.saveFile(source, {
      ...options,
      ...(signal === undefined ? {} : { signal }),
    });
    const [result] = await Promise.allSettled([saving]);
    this.#meter.end(file.sizeBytes);
    return pending.toEvent(result);
  }

  /** In one transaction: all that succeed are durable when it returns. */
  async addTogether(files: readonly NewFile[]): Promise<AddEvent[]> {
    const prepared = files.map((file) => this.#prepare(file));
    const pending = prepared.filter((each) => each instanceof Pending);
    const results = new Map<Pending, PromiseSettledResult<FileRow>>();
    await this.#saveTogether(pending, results);
    return prepared.map((each, index) => {
      const result = each instanceof Pending ? results.get(each) : undefined;
      if (!(each instanceof Pending) || result === undefined) return each as AddEvent;
      this.#meter.end(files[index]?.sizeBytes ?? 0);
      return each.toEvent(result);
    });
  }

  /** What does not fit on the disk together is saved in halves: a full disk costs the files that do not fit, and no others. */
  async #saveTogether(
    pending: readonly Pending[],
    results: Map<Pending, PromiseSettledResult<FileRow>>,
  ): Promise<void> {
    const { database, storage } = this.#context;
    const { signal } = this.#options;
    try {
      const toSave = pending.map((each) => each.toSave);
      const saved = await storage.saveFiles(toSave, signal === undefined ? {} : { signal });
      for (const [index, each] of pending.entries()) {
        results.set(
          each,
          saved[index] ?? { status: 'rejected', reason: new VaultError('FAILED', 'it was not saved') },
        );
      }
    } catch (reason) {
      if (pending.length > 1 && pending.every(isRepeatable) && toVaultError(reason).code === 'NO_SPACE') {
        const half = Math.ceil(pending.length / 2);
        for (const part of [pending.slice(0, half), pending.slice(half)]) {
          emptyLog(database);
          await this.#saveTogether(part, results);
        }
        return;
      }
      for (const each of pending) results.set(each, { status: 'rejected', reason });
    }
  }

  #skipSame(folder: string, name: string, sha256: Uint8Array | undefined): void {
    if (this.#options.skipSame !== true || sha256 === undefined) return;
    if (hasSameFile(this.#context.database, folder, name, sha256)) throw new Skipped('same');
  }

  /**
   * The same content once more, from a source that knows neither type nor time of it, leaves those as they are: how a damaged file is put back through a
   * pipe.
   */
  #keptOf(
    { source, modifiedAtMs }: NewFile,
    draft: FileRow,
    replaces: FileId | undefined,
  ): { readonly mimeType?: string; readonly modifiedAtMs?: number } {
    if (replaces === undefined || !(Symbol.asyncIterator in source)) return {};
    const old = this.#context.database.files.get(replaces);
    if (modifiedAtMs !== undefined || !constantTimeEqual(old.sha256, draft.sha256)) return {};
    const isTypeGiven = this.#options.mimeType !== undefined;
    return { modifiedAtMs: old.modifiedAtMs, ...(isTypeGiven ? {} : { mimeType: old.mimeType }) };
  }

  #prepare(file: NewFile): Pending | AddEvent {
    const { database } = this.#context;
    const { onConflict, tags } = this.#options;
    const mimeType = file.mimeType ?? this.#options.mimeType;
    this.#meter.begin(file.label);
    try {
      const folder = parseFolder(file.folder);
      const name = parseFileName(file.name);
      // Asked first, so that nothing is sealed for nothing; decided in the transaction.
      this.#skipSame(folder, name, file.expected?.sha256);
      if (placeFile(database, folder, name, onConflict) === undefined) throw new Skipped();
      const pending = new Pending(file, tags, {
        source: file.source,
        options: {
          name,
          folder,
          tags,
          ...(mimeType === undefined ? {} : { mimeType }),
          ...(file.modifiedAtMs === undefined ? {} : { modifiedAtMs: file.modifiedAtMs }),
          onProgress: (bytesDone) => {
            this.#meter.advance(bytesDone);
          },
          place: (draft) => {
            checkExpected(draft, file.expected);
            this.#skipSame(folder, name, draft.sha256);
            const place = placeFile(database, folder, name, onConflict);
            if (place === undefined) throw new Skipped();
            pending.note(place.replaces, database);
            return { ...place, ...this.#keptOf(file, draft, place.replaces) };
          },
        },
      });
      return pending;
    } catch (error) {
      this.#meter.end(file.sizeBytes);
      return toFailure(file, error);
    }
  }
}

/** Throws `DAMAGED`. */
export function checkExpected(content: Required<ExpectedContent>, expected: ExpectedContent = {}): void {
  if (expected.sizeBytes !== undefined && content.sizeBytes !== expected.sizeBytes) {
    const sizes = `${String(content.sizeBytes)} bytes, not ${String(expected.sizeBytes)}`;
    throw new VaultError('DAMAGED', `its content has ${sizes} as it should`);
  }
  if (expected.sha256 !== undefined && !constantTimeEqual(content.sha256, expected.sha256))
    throw new VaultError('DAMAGED', 'its content does not have the SHA-256 that it should');
}

/** A file that is about to be saved. */
class Pending {
  readonly file: NewFile;
  readonly toSave: FileToSave;
  #tags: readonly string[];
  #replaced: FileId | undefined;

  constructor(file: NewFile, tags: readonly string[], toSave: FileToSave) {
    this.file = file;
    this.toSave = toSave;
    this.#tags = tags;
  }

  /** The file that it takes the place of, whose tags it keeps. */
  note(replaced: FileId | undefined, database: CofferDatabase): void {
    this.#replaced = replaced;
    if (replaced !== undefined) this.#tags = unionOf(this.#tags, database.tags.of(replaced));
  }

  toEvent(result: PromiseSettledResult<FileRow>): AddEvent {
    if (result.status === 'rejected') return toFailure(this.file, result.reason);
    const replaced = this.#replaced;
    const { label: source, notes } = this.file;
    const file = toFileEntry(result.value, this.#tags);
    return {
      type: 'added',
      source,
      file,
      ...(replaced === undefined ? {} : { replaced }),
      ...(notes === undefined ? {} : { notes }),
    };
  }
}

function unionOf(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])].sort();
}

/** Whether its source can be read once more: a stream that was read is over. */
function isRepeatable({ file: { source } }: Pending): boolean {
  return source instanceof Uint8Array || !(Symbol.asyncIterator in source);
}

/** The path is taken, and the caller wants to skip the file then. */
class Skipped extends Error {
  readonly reason: 'exists' | 'same';

  constructor(reason: 'exists' | 'same' = 'exists') {
    super();
    this.reason = reason;
  }
}

function toFailure({ label, folder, name }: NewFile, reason: unknown): AddEvent {
  if (reason instanceof Skipped) return { type: 'skipped', source: label, reason: reason.reason };
  const error = toVaultError(reason);
  if (error.code === 'ABORTED') throw error;
  const isOtherForm =
    error.code === 'EXISTS' && joinPath(folder, name).normalize('NFC') !== joinPath(folder, name);
  return { type: 'failed', source: label, error: isOtherForm ? otherForm(error) : error };
}

/** A disk may have two names that look alike, and are one in Unicode's canonical form (NFC): in a vault, as on a Mac, they are one. */
function otherForm(error: VaultError): VaultError {
  const message = `${error.message}, where accents can be written in one way only`;
  return new VaultError(error.code, message, {
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
