import { SecretKey } from '@coffer/crypto';
import { chmod, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { VaultPaths } from '../../src/paths.ts';
import type { SlotSecret } from '../../src/slots/slot.ts';
import { addSlot, removeSlot, repairVaultFile, replaceSlot } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { TestFolder, newKeyfile, onPosix } from '../support.ts';
import { vaultFileVectors } from './vectors.ts';

const STATES = ['old', 'new', 'missing', 'torn', 'empty', 'flipped'] as const;
type State = (typeof STATES)[number];

interface Changed {
  readonly paths: VaultPaths;
  readonly rootKey: SecretKey;
  readonly oldSecret: SlotSecret;
  readonly newSecret: SlotSecret;
  readonly oldBytes: Uint8Array;
  readonly newBytes: Uint8Array;
}

/** A vault whose only slot was replaced. Keyfiles, because they need no Argon2id. */
async function makeChanged(folder: TestFolder, keys: TestFolder): Promise<Changed> {
  const paths = folder.vault();
  const rootKey = SecretKey.generate();
  const oldSecret = await newKeyfile(keys, 'old');
  const newSecret = await newKeyfile(keys, 'new');
  const created = await createVaultFile(paths, { rootKey, secret: oldSecret });
  const oldBytes = await readFile(paths.vaultFile);
  await replaceSlot(created, rootKey, created.slots[0]?.id ?? '', newSecret);
  return { paths, rootKey, oldSecret, newSecret, oldBytes, newBytes: await readFile(paths.vaultFile) };
}

async function put(path: string, state: State, { oldBytes, newBytes }: Changed): Promise<void> {
  const flipped = new Uint8Array(newBytes);
  flipped[300] = (flipped[300] ?? 0) ^ 1;
  const bytes = {
    old: oldBytes,
    new: newBytes,
    torn: newBytes.subarray(0, 400),
    empty: new Uint8Array(),
    flipped,
  };
  if (state === 'missing') await rm(path);
  else await writeFile(path, bytes[state], { mode: 0o600 });
}

async function opens(paths: VaultPaths, secret: SlotSecret): Promise<boolean> {
  try {
    const { rootKey } = await unlockVaultFile(await readVaultFile(paths), secret);
    rootKey[Symbol.dispose]();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'WRONG_KEY' });
    return false;
  }
}

describe.each(STATES)('the first copy is %s', (first) => {
  test.each(STATES)('and the second %s: it opens with what is whole, and is repaired', async (second) => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const changed = await makeChanged(folder, keys);
    const { paths, oldSecret, newSecret } = changed;
    await put(paths.vaultFile, first, changed);
    await put(paths.vaultFileCopy, second, changed);
    const isThere = (state: State): boolean => first === state || second === state;
    if (!isThere('old') && !isThere('new')) {
      const code = first === 'missing' && second === 'missing' ? 'NO_VAULT' : 'DAMAGED';
      await expect(readVaultFile(paths)).rejects.toMatchObject({ code });
      return;
    }
    const file = await readVaultFile(paths);
    expect(file.generation).toBe(isThere('new') ? 2 : 1);
    expect(file.needsRepair).toBe(first !== second);
    expect(file.warnings.length).toBe(first === second ? 0 : 1);
    // Changes go to the first copy first, so a newer second one was acknowledged: somebody put the old one back.
    const oldOpens = isThere('old') && !(first === 'old' && second === 'new');
    expect(await opens(paths, oldSecret)).toBe(oldOpens);
    expect(await opens(paths, newSecret)).toBe(isThere('new'));

    for (const secret of oldOpens ? [oldSecret] : [newSecret]) {
      const unlocked = await unlockVaultFile(file, secret);
      await repairVaultFile(unlocked.file, unlocked.rootKey);
      expect(await readFile(paths.vaultFile)).toEqual(await readFile(paths.vaultFileCopy));
      const repaired = await readVaultFile(paths);
      expect(repaired).toMatchObject({ warnings: [], needsRepair: false });
      // What opened stays what opens.
      expect(await opens(paths, secret)).toBe(true);
      expect(await opens(paths, secret === oldSecret ? newSecret : oldSecret)).toBe(false);
    }
  });
});

test('a repaired older copy counts as newer than the change that it undoes', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const changed = await makeChanged(folder, keys);
  await put(changed.paths.vaultFileCopy, 'old', changed);
  const unlocked = await unlockVaultFile(await readVaultFile(changed.paths), changed.oldSecret);
  expect(unlocked.file.warnings).toContainEqual(expect.stringContaining('only the older copy'));
  await repairVaultFile(unlocked.file, unlocked.rootKey);
  expect((await readVaultFile(changed.paths)).generation).toBe(3);
});

test('an old copy put back in either place brings no old secret back', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const changed = await makeChanged(folder, keys);
  const { paths, oldSecret, newSecret } = changed;
  const latest = await newKeyfile(keys, 'latest');
  const unlocked = await unlockVaultFile(await readVaultFile(paths), newSecret);
  await replaceSlot(unlocked.file, unlocked.rootKey, unlocked.slotId, latest);
  for (const place of [paths.vaultFile, paths.vaultFileCopy]) {
    await put(place, 'old', changed);
    await expect(unlockVaultFile(await readVaultFile(paths), oldSecret)).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
    const { file, rootKey } = await unlockVaultFile(await readVaultFile(paths), latest);
    await repairVaultFile(file, rootKey);
    expect(await opens(paths, latest)).toBe(true);
    expect(await opens(paths, oldSecret)).toBe(false);
  }
});

test('a generation that someone made up does not stop changes, nor use up the numbers', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const { paths, rootKey, newSecret } = await makeChanged(folder, keys);
  // The vector is of another root key, with the highest generation there is; the id is made to fit.
  const vector = vaultFileVectors.valid.find(({ name }) => name.includes('later generation'));
  const forged = Buffer.from(vector?.fileBase64 ?? '', 'base64');
  await using other = await TestFolder.make();
  await createVaultFile(other.vault(), { rootKey, secret: newSecret, vaultId: vaultFileVectors.vaultId });
  await rm(paths.vaultFileCopy);
  await writeFile(paths.vaultFile, await readFile(other.vault().vaultFile));
  await writeFile(paths.vaultFileCopy, forged);
  const file = await readVaultFile(paths);
  expect(file.generation).toBe(Number.MAX_SAFE_INTEGER);
  const unlocked = await unlockVaultFile(file, newSecret);
  expect(unlocked.file.generation).toBe(1);
  const repaired = await repairVaultFile(unlocked.file, unlocked.rootKey);
  expect(repaired.generation).toBe(2);
});

test('a folder in the place of a copy keeps the vault from nothing', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const { paths, rootKey, newSecret } = await makeChanged(folder, keys);
  await rm(paths.vaultFile);
  await mkdir(paths.vaultFile);
  const { file } = await unlockVaultFile(await readVaultFile(paths), newSecret);
  const repaired = await repairVaultFile(file, rootKey);
  expect(repaired.needsRepair).toBe(true);
  expect(repaired.warnings.join()).toContain('could not be repaired');
});

test('what a crash left under temporary names goes with the next repair', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const { paths, rootKey } = await makeChanged(folder, keys);
  await writeFile(`${paths.vaultFile}.tmp`, 'torn');
  await writeFile(`${paths.vaultFileCopy}.tmp`, 'torn');
  await repairVaultFile(await readVaultFile(paths), rootKey);
  expect((await readdir(paths.directory)).sort()).toEqual(['vault.json', 'vault.json.bak']);
});

describe('a copy of another vault', () => {
  test('is not used, is said, and is never overwritten', async () => {
    await using folder = await TestFolder.make();
    await using other = await TestFolder.make();
    await using keys = await TestFolder.make();
    const { paths, rootKey, newSecret } = await makeChanged(folder, keys);
    const foreign = await makeChanged(other, keys.sub('other'));
    await writeFile(paths.vaultFileCopy, foreign.newBytes);
    const file = await readVaultFile(paths);
    expect(file).toMatchObject({ isCopyForeign: true, needsRepair: false });
    expect(file.warnings).toEqual([expect.stringContaining('belongs to another vault')]);
    expect(await opens(paths, foreign.newSecret)).toBe(false);
    const unlocked = await unlockVaultFile(file, newSecret);
    await expect(addSlot(unlocked.file, rootKey, await newKeyfile(keys, 'third'))).rejects.toMatchObject({
      code: 'DAMAGED',
    });
    await expect(repairVaultFile(unlocked.file, rootKey)).resolves.toMatchObject({ isCopyForeign: true });
    expect(await readFile(paths.vaultFileCopy)).toEqual(foreign.newBytes);
  });
});

describe('what can be in the place of a copy', () => {
  onPosix('a link, a FIFO or a folder is damage, and never opened', async () => {
    for (const make of [
      (path: string) => symlink('/dev/zero', path),
      (path: string) => promisify(execFile)('mkfifo', [path]),
      (path: string) => mkdir(path),
    ]) {
      await using folder = await TestFolder.make();
      await using keys = await TestFolder.make();
      const { paths, newSecret } = await makeChanged(folder, keys);
      await rm(paths.vaultFile);
      await make(paths.vaultFile);
      const { warnings } = await readVaultFile(paths);
      expect(warnings).toEqual([expect.stringContaining('is not a regular file')]);
      expect(await opens(paths, newSecret)).toBe(true);
    }
  });

  test('a newer version in either place is TOO_NEW, whatever the other is', async () => {
    const newer = vaultFileVectors.refusedAtReading.find(({ code }) => code === 'TOO_NEW')?.fileBase64 ?? '';
    for (const place of ['vaultFile', 'vaultFileCopy'] as const) {
      await using folder = await TestFolder.make();
      await using keys = await TestFolder.make();
      const { paths } = await makeChanged(folder, keys);
      await writeFile(paths[place], Buffer.from(newer, 'base64'));
      await expect(readVaultFile(paths)).rejects.toMatchObject({ code: 'TOO_NEW' });
    }
  });

  test('a database without key slots is a damaged vault, and not none', async () => {
    await using folder = await TestFolder.make();
    await writeFile(folder.vault().database, '');
    await expect(readVaultFile(folder.vault())).rejects.toMatchObject({ code: 'DAMAGED' });
  });

  test('no folder at all is NO_VAULT', async () => {
    await using folder = await TestFolder.make();
    await rm(folder.path, { recursive: true });
    await expect(readVaultFile(folder.vault())).rejects.toMatchObject({ code: 'NO_VAULT' });
  });
});

onPosix('modes that let others in are warned of, and repair makes those of the files right', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const { paths, rootKey } = await makeChanged(folder, keys);
  await chmod(paths.directory, 0o750);
  await chmod(paths.vaultFile, 0o644);
  await chmod(paths.vaultFileCopy, 0o604);
  const file = await readVaultFile(paths);
  expect(file.modeWarnings).toHaveLength(3);
  expect(file.warnings).toEqual(file.modeWarnings);
  const added = await addSlot(file, rootKey, await newKeyfile(keys, 'third'));
  await removeSlot(added.file, rootKey, added.slot.id);
  expect((await readVaultFile(paths)).modeWarnings).toEqual([expect.stringContaining('mode is 0750')]);
});
