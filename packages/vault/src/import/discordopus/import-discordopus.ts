import { FernetKey, createSha256 } from '@coffer/crypto';
import { openForeignDatabase } from '@coffer/database';
import type { CipherKey, ForeignDatabase } from '@coffer/database';
import { DEFAULT_THRESHOLD_BYTES, parseFileName, parseFolder } from '@coffer/storage';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { VaultError } from '../../errors.ts';
import type { AddEvent, AddNote } from '../../files/add-event.ts';
import { parseAddOptions } from '../../files/add-files.ts';
import type { AddContext, AddOptions } from '../../files/add-files.ts';
import { addSteps } from '../../files/add-steps.ts';
import type { AddStep } from '../../files/add-steps.ts';
import { BulkMeter } from '../../files/bulk-progress.ts';
import { FileAdder, checkExpected } from '../../files/file-adder.ts';
import type { NewFile } from '../../files/file-adder.ts';
import { joinPath } from '../../files/file-entry.ts';
import { pathFrom } from '../../files/local-path.ts';
import { hasSameFile, placeFile } from '../../files/place-file.ts';
import { toVaultError } from '../../to-vault-error.ts';
import { requireFolder } from '../import-folder.ts';
import { DatabaseCopy, changed } from './database-copy.ts';
import { parseSourceKey, parseSourcePassphrase } from './source-keys.ts';
import { toVaultName } from './source-name.ts';
import {
  MAX_BLOB_SIZE_BYTES,
  NEEDED_COLUMNS,
  SOURCE_TABLE,
  damaged,
  describeRow,
  readSourceRow,
} from './source-row.ts';
import type { SourceRow } from './source-row.ts';
import { readTokenFile } from './token-file.ts';

/** As for adding; a name that is taken is numbered (`rename`) unless `onConflict` says otherwise, and the same content is not added twice. */
export interface ImportDiscordopusOptions extends AddOptions {
  /** The raw key of data.db: the content of a key file (32 bytes, 64 hexadecimal digits, 44 characters of base64url). */
  readonly databaseKey?: Uint8Array;
  /** Instead: the passphrase that SQLCipher stretches to it, as a file holds it. */
  readonly databasePassphrase?: Uint8Array;
  /** The Fernet key of what is sealed, in the same forms; needed only if something is. */
  readonly fernetKey?: Uint8Array;
  /** Read and verify everything, say what would be added, and add nothing. */
  readonly dryRun?: boolean;
}

interface ImportContext extends AddContext {
  /** The vault's own folder. */
  readonly directory: string;
}

/**
 * Imports a vault of the original Python application: data.db, in SQLCipher 4, with small files in its table `files`, and large ones beside it as Fernet tokens.
 * Every size and SHA-256 that is recorded is checked; what is damaged is named, and the others go on. The source is only read. Throws `NOT_FOUND`, `WRONG_KEY`, `INVALID_INPUT` (keys, or another application's database), `DAMAGED`, `SOURCE_CHANGED`, `ABORTED`.
 */
export async function* importDiscordopus(
  context: ImportContext,
  folder: string,
  options: ImportDiscordopusOptions,
): AsyncGenerator<AddEvent, void, undefined> {
  try {
    const source = pathFrom(process.cwd(), folder);
    await requireFolder(source, source);
    await refuseOwn(context, source);
    using keys = parseKeys(options);
    await using copy = await DatabaseCopy.make(context.directory, source);
    using database = openSource(copy.path, join(source, 'data.db'), keys.database);
    const reader = new SourceReader(database, source, keys.fernet);
    yield* importRows(context, reader, options);
    if (!(await copy.isSourceUnchanged())) {
      const path = join(source, 'data.db');
      yield { type: 'failed', source: path, error: changed(path) };
    }
  } catch (error) {
    throw toVaultError(error);
  }
}

async function* importRows(
  context: ImportContext,
  reader: SourceReader,
  options: ImportDiscordopusOptions,
): AsyncGenerator<AddEvent, void, undefined> {
  const parsed = parseAddOptions({ onConflict: 'rename', ...options });
  const { folder, ...adderOptions } = parsed;
  const totals = reader.measure();
  if (totals.tokens > 0 && !reader.hasFernetKey) {
    throw new VaultError(
      'INVALID_INPUT',
      `the data of ${String(totals.tokens)} files is sealed, and no Fernet key is given`,
      {
        hint: 'give it with --fernet-key-file',
      },
    );
  }
  const meter = new BulkMeter(options.onProgress, totals);
  const adder = new FileAdder(context, { ...adderOptions, skipSame: true }, meter);
  async function* steps(): AsyncGenerator<AddStep, void, undefined> {
    for (const rowid of reader.rowids) {
      const step = reader.toStep(rowid, folder);
      if ('type' in step || options.dryRun !== true) yield step;
      else yield await verify(context, step, parsed.onConflict, meter);
    }
  }
  yield* addSteps(adder, steps(), options.signal);
  if (reader.isIncomplete) {
    const error = damaged(
      'pages of the table files are damaged: what was in them is lost, and it is not known what that was',
    );
    yield { type: 'failed', source: 'data.db', error };
  }
  meter.finish();
}

/** Reads a file as importing it would, and stores nothing. */
async function verify(
  { database }: ImportContext,
  file: NewFile,
  onConflict: Parameters<typeof placeFile>[3],
  meter: BulkMeter,
): Promise<AddEvent> {
  const { label: source, notes = [] } = file;
  meter.begin(source);
  try {
    const hash = createSha256();
    let sizeBytes = 0;
    for await (const piece of file.source as AsyncIterable<Uint8Array>) {
      hash.update(piece);
      sizeBytes += piece.length;
      meter.advance(sizeBytes);
    }
    const sha256 = hash.digest();
    checkExpected({ sizeBytes, sha256 }, file.expected);
    const [folder, name] = [parseFolder(file.folder), parseFileName(file.name)];
    if (hasSameFile(database, folder, name, sha256)) return { type: 'skipped', source, reason: 'same' };
    const place = placeFile(database, folder, name, onConflict);
    if (place === undefined) return { type: 'skipped', source, reason: 'exists' };
    return { type: 'planned', source, path: joinPath(place.folder, place.name), sizeBytes, notes };
  } catch (error) {
    return { type: 'failed', source, error: toVaultError(error) };
  } finally {
    meter.end(file.sizeBytes);
  }
}

/** Turns rows into files to add. */
class SourceReader {
  readonly rowids: readonly string[];
  readonly isIncomplete: boolean;
  readonly #database: ForeignDatabase;
  readonly #columns: readonly string[];
  readonly #root: string;
  readonly #fernetKey: FernetKey | undefined;

  constructor(database: ForeignDatabase, root: string, fernetKey: FernetKey | undefined) {
    const columns = database.findColumns(SOURCE_TABLE);
    const missing = NEEDED_COLUMNS.filter((column) => columns?.includes(column) !== true);
    if (columns === undefined || missing.length > 0) {
      const what =
        columns === undefined ? 'no table files' : `no column ${missing.join(', ')} in its table files`;
      throw new VaultError('INVALID_INPUT', `data.db is not one of that application: it has ${what}`);
    }
    const { rowids, isIncomplete } = database.rowids(SOURCE_TABLE);
    this.rowids = rowids;
    this.isIncomplete = isIncomplete;
    this.#database = database;
    this.#columns = columns;
    this.#root = root;
    this.#fernetKey = fernetKey;
  }

  get hasFernetKey(): boolean {
    return this.#fernetKey !== undefined;
  }

  /** As far as the rows say; `tokens` is how many files are sealed. */
  measure(): { readonly files: number; readonly bytes: number; readonly tokens: number } {
    let [bytes, tokens] = [0, 0];
    for (const rowid of this.rowids) {
      const row = this.#tryRow(rowid);
      bytes += row?.expected.sizeBytes ?? 0;
      if (row?.content.kind === 'token') tokens++;
    }
    return { files: this.rowids.length, bytes, tokens };
  }

  toStep(rowid: string, folder: string): AddStep {
    try {
      const row = readSourceRow(this.#database, rowid, this.#columns);
      const name = toVaultName(row.filename, `file ${row.id}`);
      const notes: AddNote[] = [];
      if (name !== row.filename?.normalize('NFC')) notes.push('renamed');
      if (row.expected.sha256 === undefined) notes.push('unverified');
      if (row.modifiedAtMs === undefined) notes.push('no-time');
      return {
        source: this.#read(row),
        label: describeRow(this.#database, rowid),
        folder,
        name,
        // Of what is saved together the larger counts: a row may say less than it holds.
        sizeBytes: Math.max(
          row.expected.sizeBytes ?? (row.content.kind === 'token' ? DEFAULT_THRESHOLD_BYTES : 0),
          row.content.kind === 'row' ? row.content.sizeBytes : 0,
        ),
        mimeType: row.mimeType,
        modifiedAtMs: row.modifiedAtMs,
        expected: row.expected,
        notes,
      };
    } catch (error) {
      return { type: 'failed', source: describeRow(this.#database, rowid), error: toVaultError(error) };
    }
  }

  async *#read({ rowid, content }: SourceRow): AsyncGenerator<Uint8Array, void, undefined> {
    if (content.kind === 'row') {
      if (content.sizeBytes > MAX_BLOB_SIZE_BYTES)
        throw damaged('its BLOB is larger than any that the application writes');
      try {
        yield await Promise.resolve(this.#database.bytes(SOURCE_TABLE, rowid, 'data', MAX_BLOB_SIZE_BYTES));
      } catch (error) {
        throw damaged('its data can’t be read from data.db: pages of it are damaged', error);
      }
    } else if (this.#fernetKey !== undefined) {
      yield* readTokenFile(this.#fernetKey, this.#root, content.filePath);
    }
  }

  #tryRow(rowid: string): SourceRow | undefined {
    try {
      return readSourceRow(this.#database, rowid, this.#columns);
    } catch {
      // Its turn comes, and then it is said what is wrong with it.
      return undefined;
    }
  }
}

interface SourceKeys extends Disposable {
  readonly database: CipherKey;
  readonly fernet: FernetKey | undefined;
}

function parseKeys({ databaseKey, databasePassphrase, fernetKey }: ImportDiscordopusOptions): SourceKeys {
  if ((databaseKey === undefined) === (databasePassphrase === undefined)) {
    throw new VaultError('INVALID_INPUT', 'data.db opens with a key or with a passphrase: give one of them', {
      hint: '--database-key-file, or --database-passphrase-file',
    });
  }
  const secrets: Uint8Array[] = [];
  const keep = (secret: Uint8Array): Uint8Array => {
    secrets.push(secret);
    return secret;
  };
  const database: CipherKey =
    databaseKey !== undefined
      ? { kind: 'raw', key: keep(parseSourceKey(databaseKey, 'the database key')) }
      : {
          kind: 'passphrase',
          passphrase: keep(parseSourcePassphrase(databasePassphrase ?? new Uint8Array())),
        };
  const fernet =
    fernetKey === undefined
      ? undefined
      : FernetKey.fromBytes(keep(parseSourceKey(fernetKey, 'the Fernet key')));
  return {
    database,
    fernet,
    [Symbol.dispose]() {
      for (const secret of secrets) secret.fill(0);
      fernet?.[Symbol.dispose]();
    },
  };
}

function openSource(path: string, shownPath: string, key: CipherKey): ForeignDatabase {
  try {
    return openForeignDatabase({ path, key });
  } catch (error) {
    const failure = toVaultError(error);
    // vault.json proves our own key; of another program's database nothing does.
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'WRONG_KEY') throw failure;
    throw new VaultError(
      'WRONG_KEY',
      `the key does not open ${shownPath}, or it is not a SQLCipher 4 database with the usual settings`,
      {
        cause: error,
        hint:
          key.kind === 'raw'
            ? 'if the application set it as a passphrase (PRAGMA key without x), give the file with --database-passphrase-file'
            : 'if it is a raw key, give the file with --database-key-file',
      },
    );
  }
}

async function refuseOwn({ own }: ImportContext, source: string): Promise<void> {
  const stat = statSync(join(source, 'data.db'), { throwIfNoEntry: false });
  if (!(await own.contains(source)) && (stat === undefined || !own.includes(stat))) return;
  throw new VaultError('INVALID_INPUT', `${source} is this vault itself`);
}
