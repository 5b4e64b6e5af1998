import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeyfile, createVault } from '../../src/index.ts';
import type { SlotSecret, Vault } from '../../src/index.ts';
import { TestFolder } from '../support.ts';
import { stream } from './content.ts';
import { keeping, rotate, summaryOf } from './rotation.ts';
import { all } from './test-vault.ts';

const canMount =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;

interface SmallDisk {
  readonly vault: Vault;
  readonly secret: SlotSecret;
  readonly directory: string;
  /** Leaves so many bytes free; called again it leaves others. */
  readonly leave: (freeBytes: number) => void;
}

/** A vault on a file system of its own of 8 MiB. */
async function onSmallDisk(): Promise<SmallDisk> {
  const folder = await TestFolder.make();
  const keys = await TestFolder.make();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', folder.path]);
  const secret: SlotSecret = { kind: 'keyfile', path: keys.join('key') };
  await createKeyfile(secret.path);
  const directory = folder.join('vault');
  const vault = await createVault({ directory, secret });
  onTestFinished(async () => {
    await vault.close();
    execFileSync('umount', ['-l', folder.path]);
    await folder[Symbol.asyncDispose]();
    await keys[Symbol.asyncDispose]();
  });
  const ballast = folder.join('ballast');
  const leave = (freeBytes: number): void => {
    rmSync(ballast, { force: true });
    const { bavail, bsize } = statfsSync(folder.path);
    writeFileSync(ballast, new Uint8Array(bavail * bsize - freeBytes));
  };
  return { vault, secret, directory, leave };
}

async function put(vault: Vault, name: string, content: Uint8Array): Promise<void> {
  await vault.addStream(stream(content), { name });
}

async function read(vault: Vault, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read(name)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

describe.skipIf(!canMount)('on a full disk (needs root for a small tmpfs)', () => {
  test.each([0, 4_096, 16_384, 300_000])(
    'with %i bytes left a rotation fails before it has begun, and changes nothing',
    async (freeBytes) => {
      const { vault, secret, directory, leave } = await onSmallDisk();
      const content = randomBytes(90_000);
      for (let number = 0; number < 10; number += 1) await put(vault, `small-${String(number)}`, content);
      leave(freeBytes);
      const before = readFileSync(join(directory, 'vault.json'));
      await expect(rotate(vault, keeping(vault, secret))).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(readFileSync(join(directory, 'vault.json'))).toEqual(before);
      expect(readdirSync(directory).filter((name) => /rekey|tmp/.test(name))).toEqual([]);
      expect(vault.status()).toMatchObject({ keyEpoch: 1, rotation: 'none' });
      expect(await read(vault, 'small-3')).toEqual(content);
      leave(3_000_000);
      expect(summaryOf(await rotate(vault, keeping(vault, secret)))).toMatchObject({ finished: true });
      expect(await read(vault, 'small-3')).toEqual(content);
    },
  );

  test('headers are written anew with not a byte left, once the slots are new', async () => {
    const { vault, secret, leave } = await onSmallDisk();
    const content = randomBytes(700_000);
    for (const name of ['a', 'b', 'c']) await put(vault, name, content);
    const rotating = vault.rotate(keeping(vault, secret));
    for await (const event of rotating) if (event.type === 'slots') break;
    leave(200_000);
    expect(summaryOf(await all(vault.resumeRotation()))).toMatchObject({ rewrapped: 3, finished: true });
    for (const name of ['a', 'b', 'c']) expect(await read(vault, name)).toEqual(content);
  });

  test('a resealing that does not fit leaves the files as they are, and goes on when there is space', async () => {
    const { vault, secret, directory, leave } = await onSmallDisk();
    const contents = new Map([
      ['a', randomBytes(300_000)],
      ['b', randomBytes(2_000_000)],
    ]);
    for (const [name, content] of contents) await put(vault, name, content);
    leave(1_000_000);
    await expect(rotate(vault, { ...keeping(vault, secret), reseal: true })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(vault.status()).toMatchObject({ keyEpoch: 2, rotation: 'reseal' });
    expect(readdirSync(join(directory, 'files')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    for (const [name, content] of contents) expect(await read(vault, name)).toEqual(content);
    leave(3_000_000);
    expect(summaryOf(await all(vault.resumeRotation()))).toMatchObject({ resealed: 1, finished: true });
    for (const [name, content] of contents) expect(await read(vault, name)).toEqual(content);
  });
});
