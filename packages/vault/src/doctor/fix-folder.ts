import { shredFile } from '@coffer/storage';
import { chmod, lstat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { lockFolder } from '../backup/lock-folder.ts';
import { stageFile, syncFolder } from '../durable-file.ts';
import { removeDatabaseCopy } from '../import/discordopus/database-copy.ts';
import type { VaultPaths } from '../paths.ts';
import { readBoundedFile } from '../read-bounded-file.ts';
import { MAX_FILE_SIZE_BYTES } from '../vault-file/content.ts';
import { readVaultFile } from '../vault-file/read.ts';
import type { Finding } from './finding.ts';

/**
 * Does what is safe about findings of the folder, without a key: nothing of a file of the vault is changed, moved or removed. What can't be done, and what
 * another process that has the vault open may be doing, stays; a new examination tells.
 */
export async function fixFolder(paths: VaultPaths, findings: readonly Finding[]): Promise<void> {
  for (const { code, item } of findings) {
    try {
      if (code === 'LOOSE_MODE') await takeAccessAway(item);
      else if (code === 'WRITE_LEFT_OVER') await removeLeftOver(paths, item);
      else if (code === 'VAULT_FILE_COPY') await copyVaultFile(paths);
    } catch {
      // The finding stays, and says what it costs.
    }
  }
}

async function takeAccessAway(path: string): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isSymbolicLink()) await chmod(path, stats.mode & 0o700);
}

async function removeLeftOver({ directory }: VaultPaths, path: string): Promise<void> {
  const lock = lockFolder(directory);
  try {
    if (basename(path) === 'importing') await removeDatabaseCopy(directory);
    else await shredFile(path);
    await syncFolder(dirname(path));
  } finally {
    lock[Symbol.dispose]();
  }
}

/**
 * Where one copy of the key slots is missing or damaged, makes it what the other one is, byte for byte. Opening the vault does more: it knows by the key
 * that what is left is authentic, and which of two that differ counts.
 */
async function copyVaultFile(paths: VaultPaths): Promise<void> {
  const lock = lockFolder(paths.directory);
  try {
    const { current, needsRepair, other } = await readVaultFile(paths);
    if (!needsRepair || other !== undefined) return;
    const bad = (await isWhole(paths.vaultFile, current.bytes)) ? paths.vaultFileCopy : paths.vaultFile;
    await using staged = await stageFile(bad, current.bytes);
    await staged.commit();
    await syncFolder(paths.directory);
  } finally {
    lock[Symbol.dispose]();
  }
}

async function isWhole(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const found = await readBoundedFile(path, MAX_FILE_SIZE_BYTES, { noFollow: true });
    return Buffer.compare(found.bytes, bytes) === 0;
  } catch {
    return false;
  }
}
