import { discardUnfinishedCopies, openDatabase, writeSaltCopy } from '@coffer/database';
import type { CofferDatabase, FileId, FileRow } from '@coffer/database';
import { mkdir, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../errno.ts';
import { StorageError } from '../errors.ts';
import { SealedFolder, shredFile, shredWhole, syncFolder } from '../sealed-folder.ts';
import { headerLine } from './header-records.ts';
import { settleCopy } from './settle-copy.ts';
import { stagingPaths } from './staging-paths.ts';
import type { StagingPaths } from './staging-paths.ts';

/** The folder in which a backup is brought together while it is made. */
export class Staging implements AsyncDisposable {
  readonly folder: SealedFolder;
  readonly #paths: StagingPaths;
  readonly #headers: FileHandle;
  readonly #removed: FileHandle;
  #database: CofferDatabase | undefined;
  #totals = { files: 0, sizeBytes: 0 };

  private constructor(paths: StagingPaths, headers: FileHandle, removed: FileHandle) {
    this.#paths = paths;
    this.folder = new SealedFolder(paths.directory);
    this.#headers = headers;
    this.#removed = removed;
  }

  /** Makes the folder. Of what an interrupted run left in it, sealed files stay: those that still are right need not be copied again. */
  static async prepare(directory: string): Promise<Staging> {
    const paths = stagingPaths(directory);
    for (const path of [paths.directory, paths.files]) await makeFolder(path);
    for (const path of [paths.headers, paths.saltCopy, ...databaseFiles(paths.database)])
      await shredWhole(path);
    discardUnfinishedCopies(paths.database);
    await rm(paths.removed, { force: true });
    const headers = await open(paths.headers, 'wx', 0o600);
    try {
      return new Staging(paths, headers, await open(paths.removed, 'wx', 0o600));
    } catch (error) {
      await headers.close();
      throw error;
    }
  }

  /** The copy of the storage's database. */
  get database(): CofferDatabase {
    if (this.#database === undefined)
      throw new StorageError('FAILED', 'the database has not been copied yet');
    return this.#database;
  }

  /** All files of the copied database. */
  get totals(): { readonly files: number; readonly sizeBytes: number } {
    return this.#totals;
  }

  /** Copies the database as it is at one moment of this, under the same key, and opens the copy. */
  async copyDatabase(
    database: CofferDatabase,
    databaseKey: () => Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const key = databaseKey();
    try {
      await database.backupTo(this.#paths.database, { key, ...(signal === undefined ? {} : { signal }) });
      this.#database = openDatabase({ path: this.#paths.database, key, keepsReserve: false });
    } finally {
      key.fill(0);
    }
    settleCopy(this.#database);
    const { files } = this.#database;
    this.#totals = { files: files.count(), sizeBytes: files.totalSizeBytes() };
  }

  async addHeader(id: FileId, header: Uint8Array): Promise<void> {
    await this.#headers.appendFile(headerLine(id, header));
  }

  async addRemoved(id: FileId): Promise<void> {
    await this.#removed.appendFile(`${id}\n`);
  }

  /** Has the copied database say what is true of a file that could not be copied whole. */
  markRow(row: FileRow, has: 'earlier copy' | 'damaged copy' | 'nothing'): void {
    if (has === 'earlier copy') return;
    this.database.files.setCondition(row.id, has === 'nothing' ? 'missing' : 'damaged');
  }

  /** Makes everything durable; there is nothing in the folder then that the backup does not need. */
  async finish(): Promise<void> {
    for (const name of await this.folder.names()) {
      const parsed = this.folder.parseName(name);
      if (parsed.kind === 'unknown') continue;
      if (parsed.kind === 'temporary') await shredFile(this.folder.temporaryPath(parsed.id));
      else if (this.database.files.find(parsed.id)?.placement !== 'sealed')
        await shredFile(this.folder.sealedPath(parsed.id));
    }
    await this.folder.sync();
    for (const handle of [this.#headers, this.#removed]) await handle.sync();
    this.#closeDatabase();
    writeSaltCopy(this.#paths.database);
    await syncFolder(this.#paths.directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closeDatabase();
    await this.#headers.close();
    await this.#removed.close();
  }

  #closeDatabase(): void {
    this.#database?.close();
    this.#database = undefined;
  }
}

/** One at a time: for several, Node says of a read-only disk that they are not there. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** A database, and everything beside it that has content of it. */
export function databaseFiles(path: string): readonly string[] {
  return [
    path,
    ...['-wal', '-shm', '-journal', '.new', '.new-journal', '.new-wal'].map((suffix) => path + suffix),
  ];
}
