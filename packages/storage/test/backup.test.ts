import { SEALED_FILE, SecretKey, decodeHeader, encodeHeaderBlock } from '@coffer/crypto';
import { fileIdToBytes } from '@coffer/database';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyBackup } from '../src/index.ts';
import type { FileId, FileStorage, StageEvent, StageOptions, StageTotals } from '../src/index.ts';
import {
  KEY,
  allFiles,
  hex,
  makeFolder,
  makeStorage,
  open,
  randomContent,
  sealedNames,
  sha256Of,
} from './support.ts';

interface Staged {
  readonly events: readonly StageEvent[];
  readonly totals: StageTotals;
}

async function stage(
  storage: FileStorage,
  destination: string,
  options: Partial<StageOptions> = {},
  onEvent: (event: StageEvent) => Promise<void> | void = () => undefined,
): Promise<Staged> {
  const staging = join(destination, 'next');
  const stages = storage.stageBackup({ destination, staging, ...options });
  const events: StageEvent[] = [];
  for (;;) {
    const next = await stages.next();
    if (next.done === true) return { events, totals: next.value };
    events.push(next.value);
    await onEvent(next.value);
  }
}

/** Stages and applies. */
async function backUp(
  storage: FileStorage,
  destination: string,
  options: Partial<StageOptions> = {},
): Promise<Staged> {
  const staged = await stage(storage, destination, options);
  await apply(destination);
  return staged;
}

async function apply(destination: string): Promise<void> {
  await applyBackup(join(destination, 'next'), destination);
  rmSync(join(destination, 'next'), { recursive: true });
}

function types({ events }: Staged): string[] {
  return events.map(({ type }) => type).sort();
}

async function save(
  storage: FileStorage,
  name: string,
  sizeBytes = 150_000,
): Promise<{ id: FileId; content: Uint8Array }> {
  const content = randomContent(sizeBytes);
  const { id } = await storage.saveFile(content, { name });
  return { id, content };
}

async function expectContent(
  directory: string,
  files: readonly { id: FileId; content: Uint8Array }[],
): Promise<void> {
  const { storage } = await open(directory);
  expect(
    storage
      .listFiles()
      .rows.map(({ id }) => id)
      .sort(),
  ).toEqual(files.map(({ id }) => id).sort());
  for (const { id, content } of files) expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
  const findings = [];
  for await (const finding of storage.check()) findings.push(finding);
  expect(findings).toEqual([]);
}

test('a backup is a storage of its own, which shares no file with the first', async () => {
  const { directory, storage } = await makeStorage();
  const files = [
    await save(storage, 'small', 10),
    await save(storage, 'a'),
    await save(storage, 'b', 700_000),
  ];
  const destination = makeFolder();
  const { totals } = await backUp(storage, destination);
  expect(totals).toEqual({ files: 3, sizeBytes: 850_010, unchangedFiles: 0, unchangedBytes: 0 });
  for (const name of sealedNames(directory)) {
    const source = statSync(join(directory, 'files', name));
    const copy = statSync(join(destination, 'files', name));
    expect(copy.ino).not.toBe(source.ino);
    expect([copy.nlink, source.nlink]).toEqual([1, 1]);
    expect(copy.mode & 0o777).toBe(0o600);
  }
  await expectContent(destination, files);
});

test('a second backup copies what is new, and removes what is gone, shredded first', async () => {
  const { storage } = await makeStorage();
  const kept = await save(storage, 'kept');
  const gone = await save(storage, 'gone');
  const destination = makeFolder();
  await backUp(storage, destination);
  const before = statSync(join(destination, 'files', `${kept.id}.enc`));
  const old = join(makeFolder(), 'link');
  linkSync(join(destination, 'files', `${gone.id}.enc`), old);
  await storage.deleteFile(gone.id);
  const added = await save(storage, 'added');
  const again = await backUp(storage, destination);
  expect(types(again)).toEqual(['copied', 'removed']);
  expect(again.totals).toMatchObject({ unchangedFiles: 1, unchangedBytes: 150_000 });
  expect(statSync(join(destination, 'files', `${kept.id}.enc`)).ino).toBe(before.ino);
  expect(
    readFileSync(old)
      .subarray(0, SEALED_FILE.HEADER_SIZE_BYTES)
      .every((byte) => byte === 0),
  ).toBe(true);
  await expectContent(destination, [kept, added]);
});

/** As a rotation does it: the next header in the other place, and the first one free. */
function rewrap(directory: string, id: FileId): void {
  const path = join(directory, 'files', `${id}.enc`);
  const bytes = readFileSync(path);
  using root = SecretKey.fromBytes(KEY);
  using storageKey = root.derive('coffer/storage/v1');
  const block = SEALED_FILE.HEADER_BLOCK_SIZE_BYTES;
  const { header, fileKey } = decodeHeader(new Uint8Array(bytes.subarray(0, 2 * block)), {
    storageKeyOf: () => storageKey,
    fileId: fileIdToBytes(id),
  });
  bytes.fill(0, 0, block);
  bytes.set(encodeHeaderBlock(storageKey, fileKey, { ...header, sequence: header.sequence + 1n }), block);
  fileKey[Symbol.dispose]();
  writeFileSync(path, bytes);
}

test('of a file that only has another header, only the header is written', async () => {
  const { directory, storage } = await makeStorage();
  const [a, b] = [await save(storage, 'a'), await save(storage, 'b')];
  const destination = makeFolder();
  await backUp(storage, destination);
  rewrap(directory, a.id);
  const staged = await stage(storage, destination);
  expect(types(staged)).toEqual(['header']);
  expect(readdirSync(join(destination, 'next', 'files'))).toEqual([]);
  await apply(destination);
  const name = `${a.id}.enc`;
  expect(
    readFileSync(join(destination, 'files', name)).equals(readFileSync(join(directory, 'files', name))),
  ).toBe(true);
  await expectContent(destination, [a, b]);
});

test('the lines that carried headers are overwritten before they go', async () => {
  const { directory, storage } = await makeStorage();
  const { id } = await save(storage, 'a');
  const destination = makeFolder();
  await backUp(storage, destination);
  rewrap(directory, id);
  await stage(storage, destination);
  const [headers, link] = [join(destination, 'next', 'headers'), join(makeFolder(), 'link')];
  linkSync(headers, link);
  const wrappedKey = readFileSync(join(directory, 'files', `${id}.enc`)).subarray(4096 + 40, 4096 + 145);
  expect(readFileSync(link, 'latin1')).toContain(wrappedKey.toString('hex'));
  await apply(destination);
  expect(readFileSync(link).every((byte) => byte === 0)).toBe(true);
});

test('applying can be cut short anywhere and repeated', async () => {
  const { directory, storage } = await makeStorage();
  const [a, gone] = [await save(storage, 'a'), await save(storage, 'gone')];
  const destination = makeFolder();
  await backUp(storage, destination);
  rewrap(directory, a.id);
  await storage.deleteFile(gone.id);
  const b = await save(storage, 'b');
  await stage(storage, destination);
  // A log that was left beside the old database must not get into the new one.
  writeFileSync(
    join(destination, 'data.db-wal'),
    readFileSync(join(destination, 'data.db')).subarray(0, 5000),
  );
  const whole = makeFolder();
  cpSync(join(destination, 'next'), join(whole, 'next'), { recursive: true });
  await applyBackup(join(destination, 'next'), destination);
  for (const missing of [[], ['headers'], ['removed'], ['headers', 'removed']]) {
    rmSync(join(destination, 'next'), { recursive: true });
    cpSync(join(whole, 'next'), join(destination, 'next'), { recursive: true });
    for (const name of missing) rmSync(join(destination, 'next', name));
    await applyBackup(join(destination, 'next'), destination);
  }
  expectSaltCopy(destination);
  await expectContent(destination, [a, b]);
});

function expectSaltCopy(directory: string): void {
  const salt = readFileSync(join(directory, 'data.db')).subarray(0, 16);
  expect(readFileSync(join(directory, 'data.db.reserve'))).toEqual(salt);
}

test('a backup has a copy of the salt of its database, for its owner only', async () => {
  const { storage } = await makeStorage();
  await save(storage, 'small', 10);
  const destination = makeFolder();
  await backUp(storage, destination);
  expectSaltCopy(destination);
  expect(statSync(join(destination, 'data.db.reserve')).mode & 0o777).toBe(0o600);
});

test('whenever applying is cut short around the database, no copy of a salt stays that is of the one before', async () => {
  const { storage } = await makeStorage();
  await save(storage, 'small', 10);
  const destination = makeFolder();
  const [next, copy] = [join(destination, 'next'), join(destination, 'data.db.reserve')];
  await backUp(storage, destination);
  // Of a database before a change of key.
  writeFileSync(copy, Buffer.alloc(16, 7));
  await backUp(storage, destination);
  expectSaltCopy(destination);
  await stage(storage, destination);
  rmSync(copy);
  renameSync(join(next, 'data.db'), join(destination, 'data.db'));
  await apply(destination);
  expectSaltCopy(destination);
  await stage(storage, destination);
  for (const name of ['data.db', 'data.db.reserve']) renameSync(join(next, name), join(destination, name));
  await apply(destination);
  expectSaltCopy(destination);
  // Two names, as a loss of power may leave them.
  for (const moved of [['data.db'], ['data.db', 'data.db.reserve']]) {
    await stage(storage, destination);
    for (const name of ['data.db', 'data.db.reserve']) rmSync(join(destination, name));
    for (const name of moved) linkSync(join(next, name), join(destination, name));
    if (moved.length === 1) renameSync(join(next, 'data.db.reserve'), copy);
    await apply(destination);
    expectSaltCopy(destination);
  }
  // As it was staged before there were copies.
  await stage(storage, destination);
  rmSync(join(next, 'data.db.reserve'));
  await apply(destination);
  expect(readdirSync(destination)).not.toContain('data.db.reserve');
});

test('a file that has both names, as a loss of power may leave it, keeps its content when applying is repeated', async () => {
  const { storage } = await makeStorage();
  const file = await save(storage, 'a');
  const destination = makeFolder();
  await stage(storage, destination);
  const name = `${file.id}.enc`;
  mkdirSync(join(destination, 'files'));
  linkSync(join(destination, 'next', 'files', name), join(destination, 'files', name));
  await apply(destination);
  await expectContent(destination, [file]);
  expect(statSync(join(destination, 'files', name)).nlink).toBe(1);
});

test('a deletion during a backup waits until the backup has the file, and then destroys it', async () => {
  const { directory, storage } = await makeStorage();
  const files = [await save(storage, 'a'), await save(storage, 'b'), await save(storage, 'c')];
  const destination = makeFolder();
  let isFirst = true;
  const staged = await stage(storage, destination, {}, async () => {
    if (!isFirst) return;
    isFirst = false;
    // One that is copied, two that are not; the last never was in the database that was copied.
    const late = await save(storage, 'late');
    const deleted = [...files, late].map(({ id }) => id);
    expect(await storage.deleteFiles(deleted)).toMatchObject({ pending: [] });
    expect(sealedNames(directory)).toEqual([]);
    expect(readdirSync(join(destination, 'next', 'files')).sort()).toEqual(
      files.map(({ id }) => `${id}.enc`).sort(),
    );
  });
  expect(types(staged)).toEqual(['copied', 'copied', 'copied']);
  await apply(destination);
  expect(sealedNames(directory)).toEqual([]);
  await expectContent(destination, files);
  expect(types(await backUp(storage, destination))).toEqual(['removed', 'removed', 'removed']);
});

test('what cannot be copied for a deletion fails the backup, not the deletion', async () => {
  const { directory, storage } = await makeStorage();
  const [, b] = [await save(storage, 'a'), await save(storage, 'b')];
  const destination = makeFolder();
  const staging = join(destination, 'next');
  const staged = stage(storage, destination, {}, async () => {
    rmSync(join(staging, 'files'), { recursive: true });
    await storage.deleteFile(b.id);
  });
  await expect(staged).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(sealedNames(directory)).not.toContain(`${b.id}.enc`);
  // Nobody is kept waiting afterwards.
  await save(storage, 'c');
});

test('two backups at once are refused', async () => {
  const { storage } = await makeStorage();
  await save(storage, 'a');
  const [first, second] = [makeFolder(), makeFolder()];
  await stage(storage, first, {}, async () => {
    await expect(stage(storage, second)).rejects.toMatchObject({ code: 'IN_USE' });
  });
  await backUp(storage, second);
});

test('an interrupted backup goes on where it was', async () => {
  const { storage } = await makeStorage();
  const files = [await save(storage, 'a'), await save(storage, 'b'), await save(storage, 'c')];
  const destination = makeFolder();
  const aborter = new AbortController();
  const interrupted = stage(storage, destination, { signal: aborter.signal }, () => {
    aborter.abort();
  });
  await expect(interrupted).rejects.toMatchObject({ code: 'ABORTED' });
  const staged = join(destination, 'next', 'files');
  const [name = ''] = readdirSync(staged);
  const { ino } = statSync(join(staged, name));
  writeFileSync(join(staged, `${'0'.repeat(32)}.enc.tmp`), 'left over');
  await backUp(storage, destination);
  expect(statSync(join(destination, 'files', name)).ino).toBe(ino);
  expect(sealedNames(destination)).toHaveLength(3);
  await expectContent(destination, files);
});

test('damage in the storage does not get into the backup that has the file whole', async () => {
  const { directory, storage } = await makeStorage();
  const [a, b, c] = [await save(storage, 'a'), await save(storage, 'b'), await save(storage, 'c')];
  const destination = makeFolder();
  await backUp(storage, destination);
  const path = (id: FileId): string => join(directory, 'files', `${id}.enc`);
  writeFileSync(path(a.id), readFileSync(path(a.id)).fill(0, 0, SEALED_FILE.HEADER_SIZE_BYTES));
  truncateSync(path(b.id), 100_000);
  rmSync(path(c.id));
  const again = await backUp(storage, destination);
  expect(again.events).toMatchObject(
    ['HEADER_DAMAGED', 'FILE_TRUNCATED', 'FILE_MISSING'].map((damage) => ({
      type: 'failed',
      has: 'earlier copy',
      error: { damage },
    })),
  );
  await expectContent(destination, [a, b, c]);
});

test('damage that a check has found is named by the next backup, whether that has the file whole or damaged as well', async () => {
  const { directory, storage } = await makeStorage();
  const [early, late] = [await save(storage, 'early'), await save(storage, 'late')];
  const destination = makeFolder();
  await backUp(storage, destination);
  const damage = (folder: string, { id }: { readonly id: FileId }): void => {
    const path = join(folder, 'files', `${id}.enc`);
    const bytes = readFileSync(path);
    bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  for (const file of [early, late]) damage(directory, file);
  damage(destination, late);
  expect(types(await backUp(storage, destination))).toEqual([]);
  for await (const finding of storage.check()) expect(finding.code).toBe('SEGMENT_DAMAGED');
  const { events } = await backUp(storage, destination);
  expect(
    events.map((event) => (event.type === 'failed' ? [event.file.name, event.has] : event.type)),
  ).toEqual([
    ['early', 'earlier copy'],
    ['late', 'damaged copy'],
  ]);
  const copy = await open(destination);
  expect(sha256Of(await copy.storage.getFile(early.id))).toBe(sha256Of(early.content));
});

test('a backup that never had a file whole has what is left of it, and says so', async () => {
  const { directory, storage } = await makeStorage();
  const [a, b] = [await save(storage, 'a'), await save(storage, 'b')];
  truncateSync(join(directory, 'files', `${a.id}.enc`), 100_000);
  rmSync(join(directory, 'files', `${b.id}.enc`));
  const destination = makeFolder();
  const { events } = await backUp(storage, destination);
  expect(events).toMatchObject([
    { type: 'failed', has: 'damaged copy', error: { damage: 'FILE_TRUNCATED' } },
    { type: 'failed', has: 'nothing', error: { damage: 'FILE_MISSING' } },
  ]);
  const copy = await open(destination);
  expect([a, b].map(({ id }) => copy.storage.getMetadata(id).condition)).toEqual(['damaged', 'missing']);
});

test('a copy that was damaged in the backup is found by its length, or by reading it, and copied again', async () => {
  const { storage } = await makeStorage();
  const [a, b] = [await save(storage, 'a'), await save(storage, 'b')];
  const destination = makeFolder();
  await backUp(storage, destination);
  const path = (id: FileId): string => join(destination, 'files', `${id}.enc`);
  truncateSync(path(a.id), 100_000);
  expect(types(await backUp(storage, destination))).toEqual(['copied']);
  const bytes = readFileSync(path(b.id));
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  writeFileSync(path(b.id), bytes);
  expect(types(await backUp(storage, destination))).toEqual([]);
  expect(types(await backUp(storage, destination, { verify: true }))).toEqual(['copied']);
  await expectContent(destination, [a, b]);
});

test('a dry run says the same and writes nothing', async () => {
  const { storage } = await makeStorage();
  const [, gone] = [await save(storage, 'a'), await save(storage, 'gone')];
  const destination = makeFolder();
  const fresh = await stage(storage, join(destination, 'nowhere'), { dryRun: true });
  expect(types(fresh)).toEqual(['copied', 'copied']);
  expect(existsSync(join(destination, 'nowhere'))).toBe(false);
  await backUp(storage, destination);
  await storage.deleteFile(gone.id);
  await save(storage, 'b');
  const before = [...allFiles(destination)].map(([path, bytes]) => `${path} ${hex(bytes)}`);
  const planned = await stage(storage, destination, { dryRun: true });
  expect([...allFiles(destination)].map(([path, bytes]) => `${path} ${hex(bytes)}`)).toEqual(before);
  expect(types(planned)).toEqual(types(await stage(storage, destination)));
});
