import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  checkChangeable,
  createRecoveryCode,
  diagnose,
  openVault,
  rebuildVault,
  restoreVault,
} from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { summaryOf } from '../backup/support.ts';
import { ReaderProcess } from './reader-process.ts';
import { canMount } from './small-disk.ts';
import { TestVault, all } from './test-vault.ts';

const large = randomBytes(300_000);

/** A disk of its own, which `freeze` makes read-only. */
function mountDisk(made: TestVault): { readonly path: string; readonly freeze: () => void } {
  const path = made.path('disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=755', 'tmpfs', path]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
  });
  return { path, freeze: () => void execFileSync('mount', ['-o', 'remount,ro', path]) };
}

/** Where this process keeps what is temporary; the copies of databases are in it. */
function ownTemporaryFolder(made: TestVault): string {
  const path = made.path('tmp');
  mkdirSync(path);
  vi.stubEnv('TMPDIR', path);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return path;
}

async function withFiles(): Promise<TestVault> {
  const made = await TestVault.create();
  await made.put('docs/small.txt', 'small content');
  await made.put('docs/large.bin', large);
  made.vault.tag('docs/small.txt', { add: ['red'] });
  return made;
}

async function openOn(made: TestVault, directory: string): Promise<Vault> {
  const vault = await openVault({ directory, secret: made.secret });
  onTestFinished(() => vault.close());
  return vault;
}

async function contentOf(vault: Vault, item: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read(item)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Names, sizes, times and modes of everything in a folder. */
function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, mode } = statSync(join(folder, name));
      return [name, size, mtimeMs, mode].join(' ');
    });
}

async function expectReadable(made: TestVault, vault: Vault): Promise<void> {
  const { files } = vault.list({ recursive: true, folder: '', sort: 'path' });
  expect(files.map(({ path }) => path)).toEqual(['docs/large.bin', 'docs/small.txt']);
  expect(vault.list({ text: 'red', recursive: true }).files).toHaveLength(1);
  expect(await contentOf(vault, 'docs/large.bin')).toEqual(large);
  const out = made.path('out');
  expect(await all(vault.getPaths(['docs'], { destination: out, force: true }))).toHaveLength(2);
  expect(readFileSync(join(out, 'docs/small.txt'), 'utf8')).toBe('small content');
  const exported = made.path('exported');
  expect(await all(vault.exportPaths([], { destination: exported, force: true }))).toHaveLength(2);
  expect(await all(vault.check())).toMatchObject([{ type: 'summary', findings: 0, filesRead: 2 }]);
  expect(await all(vault.check({ mode: 'quick' }))).toMatchObject([{ type: 'summary', findings: 0 }]);
  expect(await vault.keyEpochs()).toEqual([{ epoch: 1, files: 1 }]);
  expect(await vault.quarantine()).toEqual([]);
  expect(await all(vault.doctor())).toEqual([]);
}

describe.skipIf(!canMount)('on a disk that is read-only (needs root for a tmpfs)', () => {
  test('a vault is read, exported and checked, and nothing is written to it or left elsewhere', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const before = stateOf(directory);
    const temporary = ownTemporaryFolder(made);
    const vault = await openOn(made, directory);
    expect(vault.status()).toMatchObject({ files: 2, readOnly: 'disk', damagedFiles: 0 });
    expect(vault.warnings).toEqual([]);
    await expectReadable(made, vault);
    expect(readdirSync(temporary)).toHaveLength(1);
    await vault.close();
    expect(readdirSync(temporary)).toEqual([]);
    expect(stateOf(directory)).toEqual(before);
  });

  test('a backup is read as a vault is', async () => {
    const made = await withFiles();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'backup');
    await all(made.vault.backup(directory));
    disk.freeze();
    const vault = await openOn(made, directory);
    expect(vault.status().backupMadeAtMs).toBeGreaterThan(0);
    await expectReadable(made, vault);
  });

  test('several processes read a vault at once', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    // The third one is killed, and leaves its copy.
    ownTemporaryFolder(made);
    const first = await openOn(made, directory);
    const second = await openOn(made, directory);
    const third = new ReaderProcess(directory, made.secret);
    expect(await third.line()).toBe('2 files');
    await expectReadable(made, first);
    await expectReadable(made, second);
  });

  test('what was open when the disk was frozen is read as it was: from the log, and under temporary names', async () => {
    const made = await withFiles();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    // As a snapshot has it: the vault is open, and what was written last is in the log alone.
    copyFolder(made.directory, directory);
    expect(statSync(join(directory, 'data.db-wal')).size).toBeGreaterThan(0);
    const [sealed = ''] = readdirSync(join(directory, 'files'));
    renameSync(join(directory, 'files', sealed), join(directory, 'files', `${sealed}.tmp`));
    disk.freeze();
    const vault = await openOn(made, directory);
    await expectReadable(made, vault);
    const backup = made.path('backup');
    await all(vault.backup(backup));
    expect(readdirSync(join(backup, 'files'))).toEqual([sealed]);
  });

  test.each(['damaged', 'out of the way'])(
    'the new database of a rebuilding that was cut short is read, with the one before %s',
    async (before) => {
      const made = await withFiles();
      await made.vault.close();
      const disk = mountDisk(made);
      const directory = join(disk.path, 'vault');
      copyFolder(made.directory, directory);
      const database = join(directory, 'data.db');
      renameSync(database, `${database}.rebuilt`);
      if (before === 'damaged') writeFileSync(database, randomBytes(40_960));
      disk.freeze();
      await expectReadable(made, await openOn(made, directory));
    },
  );

  test('a vault without its database is refused as everywhere', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    rmSync(join(directory, 'data.db'));
    disk.freeze();
    const opened = openVault({ directory, secret: made.secret });
    await expect(opened).rejects.toMatchObject({
      code: 'DAMAGED',
      message: `the database ${join(directory, 'data.db')} is missing, and with it all names and small files`,
    });
  });

  test('what a crash left that belongs to no file is still named', async () => {
    const made = await withFiles();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    const stray = `${'a'.repeat(32)}.enc.tmp`;
    cpSync(join(directory, 'vault.json'), join(directory, 'files', stray));
    disk.freeze();
    const events = await all((await openOn(made, directory)).check());
    expect(events).toMatchObject([
      { finding: { code: 'FILE_LEFT_OVER', item: join(directory, 'files', stray) } },
      { type: 'summary', findings: 1, filesRead: 2 },
    ]);
  });

  test('a sealed file that is damaged there is named, and not recorded', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    const [sealed = ''] = readdirSync(join(directory, 'files'));
    truncateSync(join(directory, 'files', sealed), 1000);
    disk.freeze();
    const vault = await openOn(made, directory);
    const events = await all(vault.check());
    expect(events).toMatchObject([
      { finding: { code: 'FILE_TRUNCATED', path: 'docs/large.bin' } },
      { findings: 1 },
    ]);
    await expect(contentOf(vault, 'docs/large.bin')).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(vault.status().damagedFiles).toBe(0);
  });

  test('a backup is made elsewhere, from which the vault is restored and backed up again', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const destination = made.path('backup');
    const vault = await openOn(made, directory);
    expect(summaryOf(await all(vault.backup(destination, { dryRun: true })))).toMatchObject({ files: 2 });
    expect(summaryOf(await all(vault.backup(destination)))).toMatchObject({ files: 2, failed: 0 });
    expect(vault.status().readOnly).toBe('disk');
    expect(() => vault.tag('docs', { add: ['blue'] })).toThrow(/can only be read/);
    await vault.close();
    // The disk does not know of it, and it is known by what it holds.
    const second = await openOn(made, directory);
    expect(summaryOf(await all(second.backup(destination)))).toMatchObject({ unchanged: { files: 1 } });
    await second.close();
    const restored = made.path('restored');
    await all(restoreVault({ source: destination, directory: restored, secret: made.secret }));
    const again = await openOn(made, restored);
    expect(await contentOf(again, 'docs/large.bin')).toEqual(large);
    expect(summaryOf(await all(again.backup(destination)))).toMatchObject({ unchanged: { files: 1 } });
  });

  test('a backup is made of a database that is so large that another process copies it', async () => {
    const made = await TestVault.create();
    for (let file = 0; file < 60; file++) await made.put(`files/${String(file)}`, randomBytes(90_000));
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const vault = await openOn(made, directory);
    const destination = made.path('backup');
    expect(summaryOf(await all(vault.backup(destination)))).toMatchObject({ files: 60, failed: 0 });
    const backup = await openOn(made, destination);
    expect(await all(backup.check())).toMatchObject([{ type: 'summary', findings: 0, filesRead: 60 }]);
  });

  test('a backup is made of a backup', async () => {
    const made = await withFiles();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'backup');
    await all(made.vault.backup(directory));
    disk.freeze();
    const vault = await openOn(made, directory);
    const destination = made.path('second');
    expect(summaryOf(await all(vault.backup(destination)))).toMatchObject({ files: 2, failed: 0 });
    await expectReadable(made, await openOn(made, destination));
  });

  test('every change is refused, before anything is asked or done', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const refused = expect.objectContaining({
      code: 'NOT_PERMITTED',
      message: `${directory} can only be read: it is on a read-only disk`,
    }) as unknown;
    await expect(checkChangeable(directory)).rejects.toEqual(refused);
    const vault = await openOn(made, directory);
    const source = made.source('new.txt');
    const attempts: (() => unknown)[] = [
      () => all(vault.addPaths([source])),
      () => all(vault.removePaths(['docs'], { recursive: true })),
      () => vault.move('docs/small.txt', 'moved.txt'),
      () => vault.tag('docs/small.txt', { add: ['blue'] }),
      () => all(vault.adopt(['ab'])),
      () => all(vault.dropQuarantined(['ab'])),
      () => all(vault.doctor({ fix: true })),
      () => vault.addSlot({ kind: 'passphrase', passphrase: Buffer.from('a new passphrase') }),
      () => vault.removeSlot(vault.slots()[0]?.id ?? ''),
      () => vault.replaceRecoveryCode(createRecoveryCode()),
      () => vault.acceptRollback(),
      () => all(vault.rotate({ keep: [], drop: [] })),
    ];
    for (const attempt of attempts)
      await expect(Promise.resolve().then(attempt), String(attempt)).rejects.toEqual(refused);
  });

  test('a diagnosis says that the disk is read-only, and looks inside', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    // As the image of a disk is: full.
    rmSync(join(directory, 'data.db.reserve'));
    const { bavail, bsize } = statfsSync(disk.path);
    writeFileSync(join(disk.path, 'filler'), new Uint8Array(bavail * bsize));
    disk.freeze();
    const events = await all(
      diagnose({ directory, open: () => openVault({ directory, secret: made.secret }) }),
    );
    expect(events).toMatchObject([
      { type: 'finding', finding: { code: 'NOT_WRITABLE', item: directory } },
      { type: 'summary', findings: 1, isOpened: true },
    ]);
  });

  test('the command for a read-only disk makes a copy of the vault that can be changed', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, "the vault's");
    copyFolder(made.directory, directory);
    disk.freeze();
    const [found] = await all(diagnose({ directory, open: () => Promise.resolve(undefined) }));
    const mend = found?.type === 'finding' ? found.finding.mend : '';
    execFileSync('sh', ['-c', mend], { cwd: made.root });
    const copy = await openOn(made, made.path('RESTORED'));
    await expectReadable(made, copy);
    copy.move('docs/small.txt', 'moved.txt');
    expect(copy.status().readOnly).toBeUndefined();
  });

  test.each([
    ['its first page', 100],
    ['the list of files', 2 * 4096 + 100],
  ])('a vault with %s damaged is to be copied before it is rebuilt, and is rebuilt there', async (_, at) => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    const bytes = readFileSync(join(directory, 'data.db'));
    bytes.fill(0x58, at, at + 8);
    writeFileSync(join(directory, 'data.db'), bytes);
    disk.freeze();
    const { secret } = made;
    const backUp = async (): Promise<unknown> =>
      await all((await openOn(made, directory)).backup(made.path('backup')));
    const first = `${directory} can only be read: copy the folder to a disk that can be written to`;
    await expect(backUp()).rejects.toMatchObject({
      code: 'DAMAGED',
      hint: expect.stringMatching(new RegExp(`${first}, .*coffer doctor --rebuild`)) as unknown,
    });
    const refused = await checkChangeable(directory).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'NOT_PERMITTED',
      hint: 'copy the folder to a disk that can be written to, and do it there',
    });
    const copied = made.path('copied');
    copyFolder(directory, copied);
    expect(await rebuildVault({ directory: copied, secret })).toMatchObject({ isRebuilt: true });
  });

  test('the copy that a killed process left is removed by the next one, and that of a living one is not', async () => {
    const made = await withFiles();
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const temporary = ownTemporaryFolder(made);
    const killed = new ReaderProcess(directory, made.secret);
    expect(await killed.line()).toBe('2 files');
    const [left = ''] = readdirSync(temporary);
    await killed.kill();
    expect(readdirSync(temporary)).toEqual([left]);
    const living = new ReaderProcess(directory, made.secret);
    expect(await living.line()).toBe('2 files');
    const [own = ''] = readdirSync(temporary);
    expect(readdirSync(temporary)).toEqual([own]);
    expect(own).not.toBe(left);
    const vault = await openOn(made, directory);
    expect(readdirSync(temporary)).toContain(own);
    expect(readdirSync(temporary)).toHaveLength(2);
    await vault.close();
    expect(readdirSync(temporary)).toEqual([own]);
  });

  test('without space for a copy of the database it says which folder to choose', async () => {
    const made = await withFiles();
    await made.put('more', randomBytes(90_000));
    await made.vault.close();
    const disk = mountDisk(made);
    const directory = join(disk.path, 'vault');
    copyFolder(made.directory, directory);
    disk.freeze();
    const small = made.path('small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
    onTestFinished(() => {
      execFileSync('umount', ['-l', small]);
    });
    vi.stubEnv('TMPDIR', small);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const opened = openVault({ directory, secret: made.secret });
    await expect(opened).rejects.toMatchObject({
      code: 'NO_SPACE',
      hint: expect.stringContaining('TMPDIR') as unknown,
    });
    expect(readdirSync(small)).toEqual([]);
  });

  test.each(['nothing', 'a file'])(
    'with %s in the place of the temporary folder it says which folder that is',
    async (what) => {
      const made = await withFiles();
      await made.vault.close();
      const disk = mountDisk(made);
      const directory = join(disk.path, 'vault');
      copyFolder(made.directory, directory);
      disk.freeze();
      const temporary = made.path('none');
      if (what === 'a file') writeFileSync(temporary, '');
      vi.stubEnv('TMPDIR', temporary);
      onTestFinished(() => {
        vi.unstubAllEnvs();
      });
      await expect(openVault({ directory, secret: made.secret })).rejects.toMatchObject({
        code: 'NOT_PERMITTED',
        message: `cannot copy ${join(directory, 'data.db')} to ${temporary}, to read it there: there is no such folder`,
        hint: expect.stringContaining('set TMPDIR to a folder') as unknown,
      });
    },
  );
});

/** root may write everywhere. */
const user = process.getuid?.() === 0 ? 65_534 : undefined;

test.skipIf(process.platform === 'win32')(
  'a vault in a folder that this user may not write to is read, and its owner is kept out meanwhile, and keeps out',
  async () => {
    const made = await withFiles();
    chmodSync(made.root, 0o755);
    chmodSync(ownTemporaryFolder(made), 0o777);
    chmodSync(made.path('key'), 0o644);
    execFileSync('chmod', ['-R', 'u+rwX,go+rX', made.directory]);
    if (user === undefined) execFileSync('chmod', ['a-w', made.directory]);
    if (user !== undefined)
      expect(await new ReaderProcess(made.directory, made.secret, user).line()).toBe('IN_USE');
    await made.vault.close();
    const reader = new ReaderProcess(made.directory, made.secret, user);
    expect(await reader.line()).toBe('2 files, not to be written');
    if (user !== undefined)
      await expect(openVault({ directory: made.directory, secret: made.secret })).rejects.toMatchObject({
        code: 'IN_USE',
      });
    await reader.kill();
    execFileSync('chmod', ['u+w', made.directory]);
    expect((await made.reopen()).status().readOnly).toBeUndefined();
  },
);
