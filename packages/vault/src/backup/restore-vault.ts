import { readSaltCopy, writeSaltCopy } from '@coffer/database';
import { shredWhole } from '@coffer/storage';
import type { NotRestored } from '@coffer/storage';
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, lstat, open } from 'node:fs/promises';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { BulkMeter } from '../files/bulk-progress.ts';
import type { BulkProgress } from '../files/bulk-progress.ts';
import { fromStorageFinding, toFinding } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { joinPath } from '../files/file-entry.ts';
import { refuseLinks } from '../links.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultPaths } from '../paths.ts';
import { renewInstance } from '../rollback/instance.ts';
import { takeKeys } from '../rotate/vault-keys.ts';
import type { SlotSecret } from '../slots/slot.ts';
import { toVaultError } from '../to-vault-error.ts';
import { readVaultFile } from '../vault-file/read.ts';
import { unlockVaultFile } from '../vault-file/unlock.ts';
import { settleBackup } from './commit.ts';
import { lockFolder } from './lock-folder.ts';
import { openRestored, unnamedFindings } from './open-restored.ts';
import { findOpenableBackup } from './openable.ts';
import { refuseOverlap } from './refuse-overlap.ts';
import { RestoreTarget, refuseOtherFiles } from './restore-target.ts';

export interface RestoreOptions {
  /** The folder of the backup. Nothing in it is changed; it may be on a disk that is read-only. */
  readonly source: string;
  /** The folder of the vault to be made: not there, or empty. */
  readonly directory: string;
  /** What opens the backup, and will open the vault. */
  readonly secret: SlotSecret;
  /** Read and verify everything that was restored before it becomes a vault; true when not given. */
  readonly verify?: boolean;
  /** How long the keychain may wait for somebody to unlock it; a minute when not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

export interface RestoreSummary {
  readonly directory: string;
  /** When the backup was made. */
  readonly madeAtMs: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly verified: boolean;
  readonly findings: number;
}

export type RestoreEvent =
  /** Something that the backup does not have whole. The vault is restored with what is left of it. */
  { readonly type: 'finding'; readonly finding: Finding } | ({ readonly type: 'summary' } & RestoreSummary);

/**
 * Makes a vault of a backup, and ends with a summary: then the vault is there, to be opened with the same secrets. What is damaged in the backup is named, and
 * keeps nothing else from being restored. When it is interrupted there is no vault yet, and doing it again goes on where it was. Throws `NO_VAULT` (no backup in `source`),
 * `WRONG_KEY`, `EXISTS` (a folder that is not empty), `INVALID_INPUT` (one folder in the other), `IN_USE`, `DAMAGED`, `NO_SPACE`, `NOT_PERMITTED`, `ABORTED`.
 */
export async function* restoreVault(options: RestoreOptions): AsyncGenerator<RestoreEvent, void, undefined> {
  try {
    yield* restore(options);
  } catch (error) {
    throw toVaultError(error);
  }
}

/**
 * What can be known before a secret is: when the backup was made. Throws what `restoreVault` would throw about the two folders.
 */
export async function checkRestore({
  source,
  directory,
}: Pick<RestoreOptions, 'source' | 'directory'>): Promise<{ readonly madeAtMs: number }> {
  const from = vaultPaths(source);
  try {
    await refuseOverlap(directory, from.directory, 'backup');
    refuseLinks(from);
    await settleBackup(from);
    const backup = await findOpenableBackup(from);
    if (backup === undefined) throw noBackup(from);
    const { vaultId } = await readVaultFile(from);
    await refuseOtherFiles(vaultPaths(directory), vaultId);
    return { madeAtMs: backup.madeAtMs };
  } catch (error) {
    throw toVaultError(error);
  }
}

async function* restore(options: RestoreOptions): AsyncGenerator<RestoreEvent, void, undefined> {
  const { verify = true, signal, onProgress } = options;
  const from = vaultPaths(options.source);
  const { madeAtMs } = await checkRestore(options);
  await using resources = new AsyncDisposableStack();
  resources.use(lockSource(from));
  const unlocked = await unlockVaultFile(await readVaultFile(from), options.secret, options);
  const keys = resources.use(takeKeys(unlocked));
  const target = resources.use(await RestoreTarget.take(options.directory, unlocked.file.vaultId));
  await copyDatabase(from, target.paths);
  const findings = { count: 0 };
  let totals;
  {
    await using parts = await openRestored(target.paths, keys, { source: from, signal });
    const { database, storage } = parts;
    for (const finding of parts.findings) yield noted(findings, finding);
    renewInstance(database);
    totals = { files: database.files.count(), sizeBytes: database.files.totalSizeBytes() };
    const sealedBytes = database.files.totalSizeBytes({ placement: 'sealed' });
    const bytes = sealedBytes + (verify ? totals.sizeBytes : 0);
    // The vault as one: its bytes go by twice, once copied and once verified.
    const meter = new BulkMeter(onProgress, { files: 1, bytes });
    const named = new Set<string>();
    const common = signal === undefined ? {} : { signal };
    const report = (bytesBefore: number) => (bytesDone: number) => {
      meter.advance(bytesBefore + bytesDone);
    };
    for await (const missing of storage.restoreFiles({
      source: from.directory,
      keepsUnnamed: parts.isRebuilt,
      ...common,
      onProgress: report(0),
    })) {
      named.add(missing.file.id);
      yield noted(findings, findingOf(missing));
    }
    if (parts.isRebuilt)
      for (const finding of await unnamedFindings(target.paths, storage)) yield noted(findings, finding);
    if (verify) {
      for await (const found of storage.check({ mode: 'full', ...common, onProgress: report(sealedBytes) })) {
        if (found.file === undefined || !named.has(found.file.id))
          yield noted(findings, fromStorageFinding(found, target.paths.files));
      }
    }
    meter.end(bytes);
    meter.finish();
  }
  signal?.throwIfAborted();
  await target.finish(unlocked.file.current.bytes);
  const { directory } = target.paths;
  yield {
    type: 'summary',
    directory,
    madeAtMs,
    ...totals,
    verified: verify,
    findings: findings.count,
  };
}

/** What there may be beside a database. */
const OF_DATABASE: readonly string[] = ['', '.damaged', '.rebuilt', '.rebuilt.new']
  .flatMap((name) => ['', '-wal', '-shm', '-journal'].map((log) => name + log))
  .concat('.reserve');

/** With the log that somebody who had the backup open may have left beside it. */
async function copyDatabase(from: VaultPaths, to: VaultPaths): Promise<void> {
  try {
    // Also of an attempt before this one, perhaps with another backup.
    for (const suffix of OF_DATABASE) await shredWhole(to.database + suffix);
    for (const suffix of ['-wal', '']) {
      if (suffix !== '' && !existsSync(from.database + suffix)) continue;
      const path = to.database + suffix;
      await refuseOther(from.database + suffix);
      await copyFile(from.database + suffix, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await chmod(path, 0o600);
      const handle = await open(path, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  } catch (error) {
    throw errnoToVaultError(error, `cannot restore the database of ${from.directory}`);
  }
  // Where the first page is damaged, the others are read with it.
  const salt = readSaltCopy(from.database);
  if (salt !== undefined) writeSaltCopy(to.database, salt);
}

/** A FIFO would keep us waiting for its other end, and a device may never end. */
async function refuseOther(path: string): Promise<void> {
  if ((await lstat(path)).isFile()) return;
  throw new VaultError('DAMAGED', `${path} is not a regular file`, {
    hint: 'restore another backup, or make a new one from the vault',
  });
}

/** Nobody writes to a disk that is read-only, and no lock can be taken there. */
function lockSource(paths: VaultPaths): Disposable {
  try {
    return lockFolder(paths.directory);
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'NOT_PERMITTED') throw error;
    return { [Symbol.dispose]: () => undefined };
  }
}

function noted(findings: { count: number }, finding: Finding): RestoreEvent {
  findings.count++;
  return { type: 'finding', finding };
}

function findingOf({ file, error }: NotRestored): Finding {
  const { folder, name } = file;
  const remedy = 'look for the file in an older backup, or where it came from';
  const item = joinPath(folder, name);
  const about = { item, message: error.message, file };
  return { ...toFinding(error.damage ?? 'FILE_MISSING', about), remedy };
}

function noBackup(paths: VaultPaths): VaultError {
  if (existsSync(paths.vaultFile) || existsSync(paths.vaultFileCopy)) {
    return new VaultError('NO_VAULT', `${paths.directory} is a vault, not a backup`, {
      hint: 'a copy of a vault needs no restoring: open it with --vault DIR',
    });
  }
  return new VaultError('NO_VAULT', `there is no backup in ${paths.directory}`);
}
