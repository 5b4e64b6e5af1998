import * as v from 'valibot';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stageFile } from '../durable-file.ts';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { readBoundedFile } from '../read-bounded-file.ts';

/** Says that a folder is a backup, and of what. */
export const BACKUP_MARKER = 'backup.json';

export const MAX_MARKER_SIZE_BYTES = 4096;
const FORMAT_VERSION = 1;

/** What `backup.json` says. */
export interface BackupMarker {
  readonly format: 'coffer-backup';
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Of the vault that is backed up here. */
  readonly vaultId: string;
  /** Of this folder as a place for backups. */
  readonly destinationId: string;
  /** The backup that is here; not there before the first one is complete. */
  readonly backup?: BackupMade | undefined;
}

export interface BackupMade {
  readonly backupId: string;
  /** When it was begun: the state of the vault that it has. */
  readonly madeAtMs: number;
}

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const schema: v.GenericSchema<unknown, BackupMarker> = v.strictObject({
  format: v.literal('coffer-backup'),
  formatVersion: v.literal(FORMAT_VERSION),
  vaultId: id,
  destinationId: id,
  backup: v.optional(
    v.strictObject({ backupId: id, madeAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
  ),
});

/**
 * The marker of a folder, or `undefined` when it has none. Nothing authenticates it: it keeps people from mistakes, not somebody who can write there.
 *
 * @throws VaultError DAMAGED, TOO_NEW, NOT_PERMITTED, FAILED
 */
export async function findBackupMarker(directory: string): Promise<BackupMarker | undefined> {
  const path = join(directory, BACKUP_MARKER);
  let bytes;
  try {
    ({ bytes } = await readBoundedFile(path, MAX_MARKER_SIZE_BYTES, { noFollow: true }));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    // Too large, or no regular file.
    if (error instanceof VaultError) throw damagedMarker(path, error);
    throw errnoToVaultError(error, `cannot read ${path}`);
  }
  return parseBackupMarker(bytes, path);
}

/** Whether a folder has a marker: what it says, opening tells. */
export function saysBackup(directory: string): boolean {
  return existsSync(join(directory, BACKUP_MARKER));
}

/** Writes it durably but for the folder's own entry, which is the caller's to sync. */
export async function writeBackupMarker(directory: string, marker: BackupMarker): Promise<void> {
  const text = `${JSON.stringify(marker, null, 2)}\n`;
  await using staged = await stageFile(join(directory, BACKUP_MARKER), new TextEncoder().encode(text));
  await staged.commit();
}

export function newMarker(vaultId: string, destinationId: string, backup?: BackupMade): BackupMarker {
  const head = { format: 'coffer-backup', formatVersion: FORMAT_VERSION, vaultId, destinationId } as const;
  return backup === undefined ? head : { ...head, backup };
}

/** Throws `DAMAGED` or `TOO_NEW`. */
export function parseBackupMarker(bytes: Uint8Array, path: string): BackupMarker {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw damagedMarker(path, error);
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const version = v.safeParse(
    v.object({ format: v.literal('coffer-backup'), formatVersion: v.number() }),
    value,
  );
  if (version.success && version.output.formatVersion > FORMAT_VERSION) {
    throw new VaultError('TOO_NEW', `the backup that ${path} describes was made by a newer version`, {
      hint: 'install a newer version of Coffer',
    });
  }
  throw damagedMarker(path);
}

function damagedMarker(path: string, cause?: unknown): VaultError {
  return new VaultError('DAMAGED', `${path} is damaged`, {
    hint: 'back up to another folder; without that file the folder opens as a vault of its own',
    ...(cause === undefined ? {} : { cause }),
  });
}
