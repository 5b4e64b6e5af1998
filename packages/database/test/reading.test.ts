import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { acquireOwnerLock, acquireReaderLock, copyForReading, openDatabase } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, addBlob, newDatabase } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** Where this process keeps what is temporary. */
function ownTemporaryFolder(): string {
  const folder = temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return folder;
}

test('those that read the lock of an owner keep it out together, and nobody else that reads', async () => {
  const path = join(temporaryFolder(), 'owner.lock');
  writeFileSync(path, '');
  const [first, second] = [
    new OtherProcess('read-and-hold.ts', path),
    new OtherProcess('read-and-hold.ts', path),
  ];
  expect(await first.line()).toBe('reading');
  expect(await second.line()).toBe('reading');
  acquireReaderLock(path).release();
  expectError('IN_USE', () => acquireOwnerLock(path));
  await first.kill();
  expectError('IN_USE', () => acquireOwnerLock(path));
  await second.kill();
  acquireOwnerLock(path).release();
});

test('an owner keeps out who would read, in this process and in another one', async () => {
  const path = join(temporaryFolder(), 'owner.lock');
  const owner = new OtherProcess('lock-and-hold.ts', path);
  expect(await owner.line()).toBe('locked');
  expectError('IN_USE', () => acquireReaderLock(path));
  await owner.kill();
  using lock = acquireOwnerLock(path);
  expectError('IN_USE', () => acquireReaderLock(path));
  expect(await new OtherProcess('read-and-hold.ts', path).line()).toBe('IN_USE');
  expect(lock).toBeDefined();
});

test('a lock that is not there, or is no file, is not made and keeps nobody from reading', () => {
  const folder = temporaryFolder();
  acquireReaderLock(join(folder, 'owner.lock')).release();
  expect(readdirSync(folder)).toEqual([]);
  symlinkSync('/dev/null', join(folder, 'owner.lock'));
  acquireReaderLock(join(folder, 'owner.lock')).release();
  expect(readdirSync(folder)).toEqual(['owner.lock']);
});

test('a copy has what is only in the log, is for this user alone, encrypted, and goes when it is not needed any more', async () => {
  const database = newDatabase();
  const { id } = addBlob(database, Buffer.from('what was written last'));
  expect(statSync(`${database.path}-wal`).size).toBeGreaterThan(0);
  const folder = ownTemporaryFolder();
  {
    using copy = await copyForReading(database.path);
    const [name = ''] = readdirSync(folder);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
    expect(statSync(copy.path).mode & 0o777).toBe(0o600);
    for (const part of ['', '-wal'])
      expect(readFileSync(copy.path + part).includes('what was written')).toBe(false);
    using read = openDatabase({ path: copy.path, key: KEY, label: database.path });
    expect(Buffer.from(read.files.getBlob(id) ?? []).toString()).toBe('what was written last');
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('a message about a copy names the database that it is of', async () => {
  const database = newDatabase();
  const { path } = database;
  database.close();
  ownTemporaryFolder();
  using copy = await copyForReading(path);
  const wrong = { path: copy.path, key: new Uint8Array(32), label: path };
  expect(expectError('WRONG_KEY', () => openDatabase(wrong)).message).toContain(`does not open ${path}:`);
});

test('only folders of copies that nobody reads are removed', async () => {
  const database = newDatabase();
  const { path } = database;
  database.close();
  const folder = ownTemporaryFolder();
  for (const name of ['coffer-reading-left', 'coffer-other']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'coffer-reading-left', 'data.db'), 'left');
  writeFileSync(join(folder, 'coffer-reading-file'), 'no folder');
  using first = await copyForReading(path);
  using second = await copyForReading(path);
  expect(readdirSync(folder)).toHaveLength(4);
  for (const copy of [first, second]) expect(statSync(copy.path).size).toBe(statSync(path).size);
  expect(readdirSync(folder)).not.toContain('coffer-reading-left');
});

test('a database that refuses changes can be copied, and refuses them again afterwards', async () => {
  const database = newDatabase();
  addBlob(database, Buffer.from('kept'));
  database.refuseChanges();
  const path = join(temporaryFolder(), 'copy.db');
  await database.backupTo(path, { key: KEY });
  expectError('NOT_PERMITTED', () => addBlob(database, Buffer.from('refused')));
  using copy = openDatabase({ path, key: KEY });
  expect(copy.files.count()).toBe(1);
});

test('what is no encrypted database is not copied', async () => {
  const path = join(temporaryFolder(), 'data.db');
  const folder = ownTemporaryFolder();
  writeFileSync(path, 'SQLite format 3\0'.padEnd(8192, 'x'));
  await expect(copyForReading(path)).rejects.toMatchObject({ code: 'PLAINTEXT' });
  rmSync(path);
  execFileSync('mkfifo', [path]);
  await expect(copyForReading(path)).rejects.toMatchObject({ code: 'NOT_A_DATABASE' });
  await expect(copyForReading(`${path}-other`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(readdirSync(folder)).toEqual([]);
});

test('a database that is written to while it is copied is not read', async () => {
  const database = newDatabase();
  ownTemporaryFolder();
  const copying = copyForReading(database.path);
  // Copying has begun and has not returned: nothing was waited for.
  addBlob(database, Buffer.from('meanwhile'));
  await expect(copying).rejects.toMatchObject({ code: 'IN_USE' });
});
