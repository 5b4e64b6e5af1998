/*
 * Makes the samples of states that a vault of a format version can be left in (vectors/vaults/README.md):
 *
 *   node --conditions=@coffer/source packages/vault/scripts/make-sample-states.ts vectors/vaults/v2-states
 *
 * Those that are committed stay as they are. So the folder must not be there yet.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { openDatabase } from '@coffer/database';
import { FileStorage, StorageKeys } from '@coffer/storage';
import { createKeyfile, createVault, openVault, vaultPaths } from '../src/index.ts';
import type { FileEntry, SlotSecret, Vault } from '../src/index.ts';
import { readVaultFile } from '../src/vault-file/read.ts';
import { unlockVaultFile } from '../src/vault-file/unlock.ts';

const [, , target] = process.argv;
if (target === undefined) throw new Error('the folder to make is not given');
const folder = resolve(target);
mkdirSync(folder);
const secret: SlotSecret = { kind: 'keyfile', path: join(folder, 'keyfile') };
await createKeyfile(secret.path);

const MACHINE_FILES = ['owner.lock', 'data.db.reserve', 'data.db-shm'];

function bytesOf(name: string, sizeBytes: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(sizeBytes / 32) }, (_, index) =>
    createHash('sha256')
      .update(`${name} ${String(index)}`)
      .digest(),
  );
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, sizeBytes));
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function make(directory: string): Promise<void> {
  const vault = await createVault({ directory, secret });
  await vault.addStream(stream(bytesOf('blob', 3000)), { name: 'blob.bin', tags: ['small'] });
  await vault.close();
  for (const name of ['sealed.bin', 'other.bin', 'removed.bin', 'lost.bin']) await seal(directory, name);
}

/** A sealed file that is small, as only a storage makes them: samples have to be. */
async function seal(directory: string, name: string): Promise<void> {
  const { rootKey } = await unlockVaultFile(await readVaultFile(vaultPaths(directory)), secret);
  using databaseKey = rootKey.derive('coffer/database/v1');
  using keys = StorageKeys.derive(rootKey);
  using database = openDatabase({ path: join(directory, 'data.db'), key: databaseKey.exportBytes() });
  const options = {
    directory,
    database,
    keys,
    databaseKey: () => databaseKey.exportBytes(),
    thresholdBytes: 0,
  };
  const { storage } = await FileStorage.open(options);
  await storage.saveFile(bytesOf(name, 2000), { name, folder: 'sealed' });
  await storage.close();
  rootKey[Symbol.dispose]();
}

function listed(vault: Vault): readonly FileEntry[] {
  return vault.list({ recursive: true, folder: '' }).files;
}

function idOf(vault: Vault, path: string): string {
  const found = listed(vault).find((file) => file.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found.id;
}

async function remove(vault: Vault, path: string): Promise<void> {
  for await (const event of vault.removePaths([path])) if (event.type === 'failed') throw event.error;
}

/** What is there when the process is killed: a log that is not in the database yet, a deletion and a save that were not finished, and a file in quarantine. */
async function makeKilled(work: string): Promise<object> {
  const directory = join(work, 'killed');
  await make(directory);
  const files = join(directory, 'files');
  await using vault = await openVault({ directory, secret });
  await vault.addStream(stream(bytesOf('segments', 262_144 + 500)), { name: 'two segments.bin' });
  const [removed, lost] = [idOf(vault, 'sealed/removed.bin'), idOf(vault, 'sealed/lost.bin')];
  const kept = join(work, 'kept');
  copyFileSync(join(files, `${lost}.enc`), kept);
  await remove(vault, 'sealed/lost.bin');
  // A folder in its place is not removed, so that the row is gone and the deletion is not done.
  const sealed = join(files, `${removed}.enc`);
  const bytes = readFileSync(sealed);
  rmSync(sealed);
  mkdirSync(sealed);
  await vault.removePaths(['sealed/removed.bin']).next();
  const taken = join(folder, 'killed');
  cpSync(directory, taken, { recursive: true });
  rmSync(join(taken, 'files', `${removed}.enc`), { recursive: true });
  writeFileSync(join(taken, 'files', `${removed}.enc`), bytes);
  writeFileSync(join(taken, 'files', `${'a'.repeat(32)}.enc.tmp`), bytes.subarray(0, 9000));
  mkdirSync(join(taken, 'quarantine'));
  copyFileSync(kept, join(taken, 'quarantine', `${lost}.enc`));
  return { vaultId: vault.vaultId, files: listed(vault), removed, quarantined: lost };
}

async function makeBackup(work: string): Promise<object> {
  const directory = join(work, 'backed up');
  await make(directory);
  await using vault = await openVault({ directory, secret });
  for await (const event of vault.backup(join(folder, 'backup')))
    if (event.type === 'failed') throw event.error;
  return { vaultId: vault.vaultId, files: listed(vault) };
}

/** The new slots and the database are in place, headers are still under the old root key. */
async function makeHeaders(work: string): Promise<object> {
  const directory = join(work, 'headers');
  await make(directory);
  const expected: { vaultId: string; files: readonly FileEntry[] } = { vaultId: '', files: [] };
  {
    await using vault = await openVault({ directory, secret });
    Object.assign(expected, { vaultId: vault.vaultId, files: listed(vault) });
    const keep = vault.slots().map(({ id: slotId }) => ({ slotId, secret }));
    for await (const event of vault.rotate({ keep })) if (event.type === 'database') break;
  }
  cpSync(directory, join(folder, 'headers'), { recursive: true });
  return expected;
}

const work = mkdtempSync(join(tmpdir(), 'coffer-states-'));
try {
  const expected = {
    killed: await makeKilled(work),
    backup: await makeBackup(work),
    headers: await makeHeaders(work),
  };
  for (const name of Object.keys(expected))
    for (const file of MACHINE_FILES) rmSync(join(folder, name, file), { force: true });
  writeFileSync(join(folder, 'expected.json'), `${JSON.stringify(expected, undefined, 1)}\n`);
  console.log(`made ${folder}; commit it, and change it no more`);
} finally {
  rmSync(work, { recursive: true });
}
