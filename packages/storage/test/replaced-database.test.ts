import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { applyBackup } from '../src/index.ts';
import type { FileStorage } from '../src/index.ts';
import { makeFolder, makeStorage, open } from './support.ts';

/** Stages the next backup, and leaves it to be applied. */
async function stage(storage: FileStorage, destination: string): Promise<string> {
  const staging = join(destination, 'next');
  const stages = storage.stageBackup({ destination, staging });
  while ((await stages.next()).done !== true);
  return staging;
}

async function backUp(storage: FileStorage, destination: string): Promise<void> {
  const staging = await stage(storage, destination);
  await applyBackup(staging, destination);
  rmSync(staging, { recursive: true });
}

/** What is in a file, whatever becomes of its name. */
function watch(path: string): () => Buffer {
  const descriptor = openSync(path, 'r');
  onTestFinished(() => {
    closeSync(descriptor);
  });
  return () => {
    const bytes = Buffer.alloc(fstatSync(descriptor).size);
    readSync(descriptor, bytes, 0, bytes.length, 0);
    return bytes;
  };
}

function isZeros(bytes: Buffer): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte === 0);
}

/** A backup with one file, and a storage that has lost that file and has another one. */
async function changedSinceBackup(): Promise<{
  readonly storage: FileStorage;
  readonly destination: string;
  readonly database: string;
}> {
  const { storage } = await makeStorage();
  const { id } = await storage.saveFile(new Uint8Array(5_000).fill(7), { name: 'before' });
  const destination = makeFolder();
  await backUp(storage, destination);
  await storage.deleteFile(id);
  await storage.saveFile(new Uint8Array(5_000).fill(8), { name: 'after' });
  return { storage, destination, database: join(destination, 'data.db') };
}

async function names(destination: string): Promise<string[]> {
  const { storage } = await open(destination);
  return storage.listFiles().rows.map(({ name }) => name);
}

test('the database of the backup before is overwritten once the new one has its name', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  const old = watch(database);
  expect(isZeros(old())).toBe(false);
  await backUp(storage, destination);
  expect(isZeros(old())).toBe(true);
  expect(existsSync(`${database}.replaced`)).toBe(false);
  expect(await names(destination)).toEqual(['after']);
});

test('a hard link to the database of the backup before is a copy, and left as it is', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  const copy = join(makeFolder(), 'data.db');
  linkSync(database, copy);
  const before = readFileSync(copy);
  await backUp(storage, destination);
  expect(readFileSync(copy).equals(before)).toBe(true);
  expect(existsSync(`${database}.replaced`)).toBe(false);
});

test('killed before the new database came, applying the backup again replaces and overwrites the old one', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  const staging = await stage(storage, destination);
  const old = watch(database);
  linkSync(database, `${database}.replaced`);
  await applyBackup(staging, destination);
  expect(isZeros(old())).toBe(true);
  expect(existsSync(`${database}.replaced`)).toBe(false);
  expect(await names(destination)).toEqual(['after']);
});

test('killed before the old database was overwritten, applying the backup again does it', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  const staging = await stage(storage, destination);
  const old = watch(database);
  renameSync(database, `${database}.replaced`);
  renameSync(join(staging, 'data.db'), database);
  await applyBackup(staging, destination);
  expect(isZeros(old())).toBe(true);
  expect(existsSync(`${database}.replaced`)).toBe(false);
  expect(await names(destination)).toEqual(['after']);
});

test('an old database that is left over is overwritten by whoever opens the backup, and by the next backup', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  for (const settle of [() => names(destination), () => backUp(storage, destination)]) {
    copyFileSync(database, `${database}.replaced`);
    const old = watch(`${database}.replaced`);
    await settle();
    expect(isZeros(old())).toBe(true);
    expect(readdirSync(destination).filter((name) => name.includes('replaced'))).toEqual([]);
  }
});

test('what can’t be overwritten keeps its second name, and no backup from being finished', async () => {
  const { storage, destination, database } = await changedSinceBackup();
  const staging = await stage(storage, destination);
  // In the place of an old database that can't be opened for writing.
  mkdirSync(`${database}.replaced`);
  renameSync(join(staging, 'data.db'), database);
  await applyBackup(staging, destination);
  expect(existsSync(`${database}.replaced`)).toBe(true);
  expect(await names(destination)).toEqual(['after']);
});
