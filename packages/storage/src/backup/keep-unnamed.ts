import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../errors.ts';
import { shredFile, syncFolder } from '../sealed-folder.ts';
import type { SealedFolder } from '../sealed-folder.ts';
import type { StorageContext } from '../storage-context.ts';

/**
 * Copies the sealed files of another folder that no row names to the quarantine: of a database that was rebuilt, their names are lost, and not they. What was copied before
 * is not copied again.
 */
export async function keepUnnamed(
  { database, folder }: StorageContext,
  source: SealedFolder,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const name of await source.names()) {
    throwIfAborted(signal, 'cannot restore');
    const parsed = source.parseName(name);
    if (parsed.kind !== 'sealed' || database.files.find(parsed.id)?.placement === 'sealed') continue;
    if (!(await lstat(source.sealedPath(parsed.id))).isFile()) continue;
    await mkdir(folder.quarantinePath, { recursive: true, mode: 0o700 });
    await copyDurably(source.sealedPath(parsed.id), join(folder.quarantinePath, name));
  }
  await syncFolder(join(folder.path, '..'));
}

async function copyDurably(from: string, to: string): Promise<void> {
  if ((await lstat(to).catch(() => undefined)) !== undefined) return;
  const temporary = `${to}.tmp`;
  await shredFile(temporary);
  await copyFile(from, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const handle = await open(temporary, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, to);
  await syncFolder(join(to, '..'));
}
