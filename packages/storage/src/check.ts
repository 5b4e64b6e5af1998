import { DatabaseError } from '@coffer/database';
import type { FileId, FileName, FileRow, SurveyedFile } from '@coffer/database';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { conditionOfDamage, damagedSinceMs, markCondition, noteDamage } from './condition.ts';
import { StorageError, damaged, throwIfAborted, toStorageError } from './errors.ts';
import type { DamageCode } from './errors.ts';
import { getCheckedBlob, verifySealed } from './read-file.ts';
import { ifDatabaseAllows, isCorrupt } from './storage-context.ts';
import { extended, missing, truncated } from './sealed-damage.ts';
import { measureSealedFile } from './sealed-length.ts';
import type { StorageContext } from './storage-context.ts';

export type FindingCode =
  DamageCode | 'HEADER_LEFT_OVER' | 'FILE_UNREFERENCED' | 'FILE_LEFT_OVER' | 'NAME_UNKNOWN' | 'NOT_CHECKED';

/** One thing that is wrong. `remedy` says what to do about it. */
export interface Finding {
  readonly code: FindingCode;
  readonly subject: 'file' | 'database' | 'folder';
  /** The file that is affected, when there is one. */
  readonly file: (FileName & { readonly sha256?: Uint8Array }) | undefined;
  /** Of what is in the folder: its name there. */
  readonly name?: string;
  readonly message: string;
  readonly remedy: string;
  /** When it was first noticed, or what is in the folder was last written; not there when that is not known. */
  readonly sinceMs?: number;
}

export interface CheckOptions {
  /**
   * `full` reads and verifies everything; `sample` reads `samplePercent` of the files, chosen at random, and the structure of the
   * database; `quick` compares names and sizes only.
   */
  readonly mode: 'full' | 'quick' | 'sample';
  /** More than 0, at most 100; 5 when not given. */
  readonly samplePercent?: number;
  /** Only these files; the database and the folder are then left out. */
  readonly ids?: readonly FileId[];
  readonly signal?: AbortSignal;
  /** Called with the plaintext bytes verified so far. */
  readonly onProgress?: (bytesDone: number) => void;
  /** Between 0 and 1; decides which files a sample has. */
  readonly random?: () => number;
}

/** How much a check has looked at. */
export interface CheckTotals {
  /** Files that were looked at, if only at their size. */
  readonly files: number;
  /** Files that were read and verified, and their bytes. */
  readonly filesRead: number;
  readonly bytesRead: number;
}

/** Finds what is wrong, changing nothing but the `condition` of rows. Yields findings as they come and returns the totals. */
export async function* check(
  context: StorageContext,
  databaseKey: () => Uint8Array,
  options: CheckOptions,
): AsyncGenerator<Finding, CheckTotals, undefined> {
  const percent = parsePercent(options);
  const random = options.random ?? Math.random;
  let files = 0;
  let filesRead = 0;
  let bytesRead = 0;
  try {
    if (options.ids === undefined) {
      if (options.mode === 'quick') yield* knownDatabaseDamage(context);
      else yield* checkDatabase(context, databaseKey, options.signal);
      yield* checkFolder(context);
    }
    for (const found of filesOf(context, options.ids)) {
      // Small files are read at once: everybody else, and who wants to end this, comes between two of them.
      await nextTurn();
      throwIfAborted(options.signal, 'cannot check');
      if (found === 'unreadable') {
        yield databaseFinding('DATABASE_DAMAGED', 'the list of files in data.db can be read no further');
        break;
      }
      files++;
      const { file, row } = found;
      if (row === undefined) {
        const lost = damaged('ROW_DAMAGED', `${file.name}: its page of the database is damaged`);
        yield noted(context, fileFinding(file, lost), 'database');
        continue;
      }
      const reads = options.mode === 'full' || (options.mode === 'sample' && random() * 100 < percent);
      const finding = reads
        ? await readWhole(context, row, options, bytesRead)
        : await checkSize(context, row);
      const isKnownWhole = finding === undefined && row.condition === 'ok';
      if (!isKnownWhole && !mayHaveFile(context, row.id)) continue;
      recordCondition(context, row, finding, reads);
      if (finding !== undefined) yield noted(context, finding, row.id);
      if (!reads) continue;
      filesRead++;
      bytesRead += row.sizeBytes;
      options.onProgress?.(bytesRead);
    }
    return { files, filesRead, bytesRead };
  } catch (error) {
    throw toStorageError(error, 'cannot check the storage');
  }
}

function* filesOf(
  { database }: StorageContext,
  ids: readonly FileId[] | undefined,
): Generator<Pick<SurveyedFile, 'file' | 'row'> | 'unreadable'> {
  if (ids !== undefined) {
    for (const row of ids.map((id) => database.files.get(id))) yield { file: row, row };
    return;
  }
  try {
    yield* database.files.survey();
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    yield 'unreadable';
  }
}

async function* checkDatabase(
  context: StorageContext,
  databaseKey: () => Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding> {
  const { database } = context;
  const found: Finding[] = [];
  let isComplete = true;
  const key = databaseKey();
  const options = signal === undefined ? { key } : { key, signal };
  // At the same time: a large database is only read by both, and by other processes.
  const [pages, structure] = await Promise.allSettled([
    database.scanPages(options),
    database.integrityCheckAside(options),
  ]);
  key.fill(0);
  if (pages.status === 'fulfilled') {
    const { damagedPages, pageCount } = pages.value;
    if (damagedPages.length > 0) {
      const numbers = damagedPages.slice(0, 10).join(', ') + (damagedPages.length > 10 ? ', …' : '');
      const count = `${String(damagedPages.length)} of ${String(pageCount)} pages`;
      found.push(databaseFinding('PAGE_DAMAGED', `${count} of data.db are not authentic (page ${numbers})`));
    }
  } else {
    if (!(pages.reason instanceof DatabaseError) || pages.reason.code !== 'NO_SPACE') throw pages.reason;
    const message =
      'the pages of data.db could not be verified: the disk is full, and its log cannot be moved into it';
    isComplete = false;
    yield { ...databaseFinding('NOT_CHECKED', message), remedy: 'free some space and check again' };
  }
  if (structure.status === 'rejected') throw structure.reason;
  for (const problem of structure.value) {
    found.push(databaseFinding('DATABASE_DAMAGED', `the structure of data.db is damaged: ${problem}`));
  }
  if (found.length > 0 || isComplete) {
    ifChangesAllowed(context, () => {
      noteDamage(context, 'database', found.length > 0);
    });
  }
  for (const finding of found) yield noted(context, finding, 'database');
}

/** Pages are not read for this, but what was found when they were still holds. */
function* knownDatabaseDamage(context: StorageContext): Generator<Finding> {
  const message = 'pages of data.db were found to be damaged; a full check says which';
  const finding = noted(context, databaseFinding('PAGE_DAMAGED', message), 'database');
  if (finding.sinceMs !== undefined) yield finding;
}

/** With the time when it was first noticed, if that can be known. */
function noted(context: StorageContext, finding: Finding, what: FileId | 'database'): Finding {
  const sinceMs = damagedSinceMs(context.database, what);
  return sinceMs === undefined ? finding : { ...finding, sinceMs };
}

function ifChangesAllowed({ database }: StorageContext, work: () => void): void {
  if (!database.refusesChanges) ifDatabaseAllows(work);
}

function databaseFinding(code: FindingCode, message: string): Finding {
  const remedy = 'get what can still be read out of the vault, then restore data.db from a backup';
  return { code, subject: 'database', file: undefined, message, remedy };
}

async function* checkFolder(context: StorageContext): AsyncGenerator<Finding> {
  for (const name of await context.folder.names()) {
    const parsed = context.folder.parseName(name);
    // Under another name than its own, where nothing can be renamed.
    if (parsed.kind !== 'unknown' && parsed.kind !== 'sealed' && isReadFrom(context, parsed.id, name))
      continue;
    if (parsed.kind === 'sealed') {
      if (mayHaveRow(context, parsed.id)) continue;
      yield {
        ...(await inFolder(context, name, 'FILE_UNREFERENCED', 'belongs to no file of this vault')),
        remedy: 'was an older data.db put back? it is moved to quarantine/ by recovery, never deleted',
      };
    } else if (parsed.kind === 'partial') {
      if (mayBeResumed(context, parsed.id)) continue;
      yield await inFolder(context, name, 'FILE_LEFT_OVER', 'is left over from a transfer that cannot go on');
    } else if (parsed.kind === 'temporary') {
      yield await inFolder(context, name, 'FILE_LEFT_OVER', 'is left over from a save that did not finish');
    } else if (parsed.kind === 'replaced') {
      yield await inFolder(context, name, 'FILE_LEFT_OVER', 'is left over from sealing a file again');
    } else {
      yield {
        ...(await inFolder(context, name, 'NAME_UNKNOWN', 'is not a file that Coffer made')),
        remedy: 'move it out of the vault; Coffer leaves it alone',
      };
    }
  }
}

/** What was removed since it was listed is no damage. */
function mayHaveFile({ database }: StorageContext, id: FileId): boolean {
  return unlessDamaged(() => database.files.find(id) !== undefined);
}

/** Whether a row names this sealed file, or may have: a page that is damaged has a finding of its own. */
function mayHaveRow({ database }: StorageContext, id: FileId): boolean {
  return unlessDamaged(() => database.files.find(id)?.placement === 'sealed');
}

function isReadFrom(context: StorageContext, id: FileId, name: string): boolean {
  return context.folder.sealedPath(id) === join(context.folder.path, name) && mayHaveRow(context, id);
}

function mayBeResumed({ database }: StorageContext, id: FileId): boolean {
  return unlessDamaged(() => database.transfers.isResumableFile(id));
}

function unlessDamaged(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (isCorrupt(error)) return true;
    throw error;
  }
}

async function inFolder(
  context: StorageContext,
  name: string,
  code: FindingCode,
  what: string,
): Promise<Finding> {
  const stat = await lstat(join(context.folder.path, name)).catch(() => undefined);
  return {
    code,
    subject: 'folder',
    file: undefined,
    name,
    message: `files/${name} ${what}`,
    remedy: 'recovery removes it, after overwriting its key',
    ...(stat === undefined ? {} : { sinceMs: Math.round(stat.mtimeMs) }),
  };
}

async function checkSize(context: StorageContext, row: FileRow): Promise<Finding | undefined> {
  if (row.placement === 'blob') return undefined;
  const { sizeBytes: size, expectedBytes: expected } = await measureSealedFile(context.folder, row);
  if (size === expected) return undefined;
  if (size === undefined) return fileFinding(row, missing(row, await context.folder.lookAt(row.id)));
  return fileFinding(row, size < expected ? truncated(row, size, expected) : extended(row, size, expected));
}

async function readWhole(
  context: StorageContext,
  row: FileRow,
  { signal, onProgress }: CheckOptions,
  bytesBefore: number,
): Promise<Finding | undefined> {
  try {
    if (row.placement === 'blob') {
      getCheckedBlob(context, row);
      return undefined;
    }
    const { isOtherPlaceFree } = await verifySealed(context, row, {
      signal,
      onProgress: (bytesDone) => {
        onProgress?.(bytesBefore + bytesDone);
      },
    });
    return isOtherPlaceFree ? undefined : headerLeftOver(row);
  } catch (error) {
    if (error instanceof StorageError && error.damage !== undefined) return fileFinding(row, error);
    if (error instanceof DatabaseError && error.code === 'CORRUPT') {
      return fileFinding(row, damaged('ROW_DAMAGED', `${row.name}: its row cannot be read`, error));
    }
    throw error;
  }
}

function fileFinding(file: FileName, error: StorageError): Finding {
  const remedy = 'restore this file from a backup, or remove it and add it again from where it came';
  return { code: error.damage ?? 'ROW_DAMAGED', subject: 'file', file, message: error.message, remedy };
}

/** The content is whole: it is read by the other place. But nothing should be here that no writer left. */
function headerLeftOver(row: FileRow): Finding {
  return {
    code: 'HEADER_LEFT_OVER',
    subject: 'file',
    file: row,
    message: `${row.name} is whole, but the free place of its header is not empty: it was damaged, or an old header put there`,
    remedy: 'nothing is lost; get the file, and add it again in the place of this one',
  };
}

/** Only a read proves a file whole again; a look at its size can prove it damaged. */
function recordCondition(
  context: StorageContext,
  row: FileRow,
  finding: Finding | undefined,
  read: boolean,
): void {
  const found = conditionAfter(finding);
  if (found === row.condition || (found === 'ok' && !read)) return;
  ifChangesAllowed(context, () => {
    markCondition(context, row.id, found);
  });
}

function conditionAfter(finding: Finding | undefined): FileRow['condition'] {
  if (finding === undefined || finding.code === 'HEADER_LEFT_OVER') return 'ok';
  return conditionOfDamage(finding.code);
}

function parsePercent({ mode, samplePercent = 5 }: CheckOptions): number {
  if (mode === 'sample' && !(samplePercent > 0 && samplePercent <= 100)) {
    throw new StorageError('INVALID', 'a sample is more than 0 and at most 100 percent');
  }
  return samplePercent;
}
