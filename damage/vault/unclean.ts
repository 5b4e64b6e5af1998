import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { SampleVault } from './sample-vault.ts';
import { seededBytes } from './seeded.ts';

/** The database and its log as they are in the middle of a session that changes sealed files. */
export async function takeUnclean(sample: SampleVault): Promise<Map<string, Buffer>> {
  await using vault = await sample.open();
  await vault.addStream(onePiece(seededBytes(120_000, 6)), { name: 'passing' });
  await remove(vault, 'passing');
  return new Map(
    ['data.db', 'data.db-wal'].map((name) => [name, copyOf(join(sample.paths.directory, name), sample.root)]),
  );
}

/** Read from a copy: opening and closing the file itself here would drop the lock that SQLite has on it. */
function copyOf(path: string, folder: string): Buffer {
  const copy = join(folder, 'copy');
  copyFileSync(path, copy);
  const bytes = readFileSync(copy);
  rmSync(copy);
  return bytes;
}

export async function remove(vault: Vault, path: string): Promise<void> {
  for await (const event of vault.removePaths([path])) {
    if (event.type === 'failed') throw event.error;
  }
}

export async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
