import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose, openVault, readVaultSlots, rebuildVault, restoreVault } from '../../src/index.ts';
import type { RebuildSummary, RestoreEvent, Vault } from '../../src/index.ts';
import { TestVault, all } from './test-vault.ts';

const PAGE_SIZE_BYTES = 4096;
const LARGE = new Uint8Array(400_000).fill(7);

/** A vault, closed, with a file of each kind. */
async function closedVault(): Promise<TestVault> {
  const made = await TestVault.create();
  await made.put('small.txt');
  await made.put('a/other.txt');
  await made.put('a/large', LARGE);
  await made.vault.close();
  return made;
}

function losePage(path: string, number: number): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, (number - 1) * PAGE_SIZE_BYTES, number * PAGE_SIZE_BYTES));
}

function database(made: TestVault): string {
  return join(made.directory, 'data.db');
}

async function expectAll(made: TestVault): Promise<void> {
  await made.reopen();
  expect(made.paths()).toEqual(['a/large', 'a/other.txt', 'small.txt']);
  expect(await made.text('small.txt')).toBe('small.txt');
  expect(await made.text('a/other.txt')).toBe('a/other.txt');
  expect(Buffer.from(await made.text('a/large')).equals(LARGE)).toBe(true);
  const events = await all(made.vault.check({ mode: 'full' }));
  expect(events.filter(({ type }) => type === 'finding')).toEqual([]);
}

const KEPT_ALL: Partial<RebuildSummary> = {
  isRebuilt: true,
  files: 3,
  withoutContent: [],
  withNewNames: [],
};

describe('rebuilding', () => {
  test('a vault whose database lost its first page has everything again, and keeps the damaged one', async () => {
    const made = await closedVault();
    losePage(database(made), 1);
    const damaged = readFileSync(database(made));
    await expect(openVault(made)).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining('the first page of') as string,
      hint: expect.stringContaining('coffer doctor --rebuild') as string,
    });
    const kept = join(made.directory, 'data.db.damaged');
    expect(await rebuildVault(made)).toMatchObject({ ...KEPT_ALL, damagedPages: [1], keptPath: kept });
    expect(readFileSync(kept).equals(damaged)).toBe(true);
    await expectAll(made);
    expect(made.vault.warnings).toEqual([expect.stringContaining('data.db.damaged is kept') as string]);
  });

  test('a row that is lost with its page comes back from the index, and the hash of a sealed file from its content', async () => {
    const made = await closedVault();
    const before = new Map<string, string>();
    await made.reopen();
    for (const { path, sha256 } of made.vault.list({ recursive: true, folder: '' }).files)
      before.set(path, sha256);
    await made.vault.close();
    // The third one has the rows of all files: `damage/vault/sample-database.ts` says which is whose.
    losePage(database(made), 3);
    expect(await rebuildVault(made)).toMatchObject({ ...KEPT_ALL, damagedPages: [3] });
    await expectAll(made);
    for (const { path, sha256 } of made.vault.list({ recursive: true, folder: '' }).files)
      expect(sha256).toBe(before.get(path));
  });

  test('nothing is done to a database with which nothing is wrong', async () => {
    const made = await closedVault();
    const before = readFileSync(database(made));
    expect(await rebuildVault(made)).toMatchObject({ isRebuilt: false, files: 3, keptPath: undefined });
    expect(readFileSync(database(made)).equals(before)).toBe(true);
    expect(existsSync(join(made.directory, 'data.db.damaged'))).toBe(false);
  });

  test('where data.db is gone, the sealed files can be adopted', async () => {
    const made = await closedVault();
    rmSync(database(made));
    expect(await rebuildVault(made)).toMatchObject({ isRebuilt: true, files: 0, keptPath: undefined });
    await made.reopen();
    expect(made.paths()).toEqual([]);
    const [quarantined] = await made.vault.quarantine();
    expect(quarantined).toMatchObject({ contentSizeBytes: LARGE.length });
    await all(made.vault.adopt([quarantined?.name ?? ''], { name: 'found' }));
    expect(Buffer.from(await made.text('found')).equals(LARGE)).toBe(true);
  });

  test('a database of another vault is not touched', async () => {
    const made = await closedVault();
    const other = await closedVault();
    copyFileSync(database(other), database(made));
    await expect(rebuildVault(made)).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(readFileSync(database(made)).equals(readFileSync(database(other)))).toBe(true);
    expect(readdirSync(made.directory)).not.toContain('data.db.damaged');
  });

  test('a second time is refused as long as the first damaged database is there', async () => {
    const made = await closedVault();
    losePage(database(made), 1);
    await rebuildVault(made);
    losePage(database(made), 1);
    await expect(rebuildVault(made)).rejects.toMatchObject({ code: 'EXISTS' });
    rmSync(join(made.directory, 'data.db.damaged'));
    expect(await rebuildVault(made)).toMatchObject(KEPT_ALL);
  });

  test('an open vault, a wrong secret and a backup are refused', async () => {
    const made = await closedVault();
    losePage(database(made), 1);
    const secret = { kind: 'passphrase', passphrase: new TextEncoder().encode('wrong') } as const;
    await expect(rebuildVault({ directory: made.directory, secret })).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
    const whole = await TestVault.create();
    await expect(rebuildVault(whole)).rejects.toMatchObject({ code: 'IN_USE' });
    await all(whole.vault.backup(whole.path('backup')));
    await expect(
      rebuildVault({ directory: whole.path('backup'), secret: whole.secret }),
    ).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  });

  test('the doctor finds the new database that a crash left beside the old one, and opening puts it in place', async () => {
    const made = await closedVault();
    losePage(database(made), 1);
    await rebuildVault(made);
    renameSync(database(made), `${database(made)}.rebuilt`);
    renameSync(`${database(made)}.damaged`, database(made));
    const events = await all(diagnose({ directory: made.directory, open: () => Promise.resolve(undefined) }));
    expect(events).toMatchObject([{ finding: { code: 'NOT_CLOSED' } }, { type: 'summary' }]);
    await expectAll(made);
    expect(existsSync(`${database(made)}.damaged`)).toBe(true);
  });
});

/** A vault that was killed with a file that is only in its log, closed by nobody. */
async function killedVault(): Promise<TestVault> {
  const made = await closedVault();
  await made.reopen();
  await made.put('newest.txt');
  const path = database(made);
  const [whole, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  await made.vault.close();
  writeFileSync(path, whole);
  writeFileSync(`${path}-wal`, log, { mode: 0o600 });
  return made;
}

test('rebuilding takes what is in the log of a vault that was killed, and keeps the log', async () => {
  const made = await killedVault();
  const log = readFileSync(`${database(made)}-wal`);
  losePage(database(made), 1);
  expect(await rebuildVault(made)).toMatchObject({ isRebuilt: true, files: 4 });
  expect(readFileSync(`${database(made)}.damaged-wal`).equals(log)).toBe(true);
  await made.reopen();
  expect(await made.text('newest.txt')).toBe('newest.txt');
});

describe('a damaged log that has what was stored last', () => {
  /** Bytes of the log of a vault that was killed: a checksum of the log's header, and a byte of the first page in it. */
  const DAMAGED = { 'its header': 24, 'a page': 32 + 24 + 1_000 };

  test.each(Object.entries(DAMAGED))('is found by opening, and kept: %s', async (_, offset) => {
    const made = await killedVault();
    const path = `${database(made)}-wal`;
    damageByte(path, offset);
    const log = readFileSync(path);
    const [error] = await Promise.allSettled([openVault(made)]);
    expect(error).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'DAMAGED',
        message: expect.stringContaining(`${path} is damaged`) as string,
        hint: expect.stringContaining('coffer doctor --rebuild') as string,
      },
    });
    const events = await all(diagnose({ directory: made.directory, open: () => openVault(made) }));
    expect(events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []))).toMatchObject([
      { code: 'NOT_CLOSED' },
      { code: 'DATABASE_UNREADABLE', mend: 'coffer doctor --rebuild' },
    ]);
    expect(readFileSync(path).equals(log)).toBe(true);
  });

  test.each(Object.entries(DAMAGED))('is read by rebuilding, and kept beside: %s', async (_, offset) => {
    const made = await killedVault();
    const path = `${database(made)}-wal`;
    damageByte(path, offset);
    const log = readFileSync(path);
    expect(await rebuildVault(made)).toMatchObject({ isRebuilt: true, files: 4, damagedPages: [] });
    await made.reopen();
    expect(await made.text('newest.txt')).toBe('newest.txt');
    expect(readFileSync(`${database(made)}.damaged-wal`).equals(log)).toBe(true);
  });
});

function damageByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  writeFileSync(path, bytes);
}

describe('restoring a backup whose database is damaged', () => {
  test('gives back everything that is on its other pages, and says so', async () => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    const path = join(source, 'data.db');
    const whole = readFileSync(path);
    const directory = made.path('restored');
    const { secret } = made;
    const damaged = Buffer.from(whole).fill(0, 0, PAGE_SIZE_BYTES);
    writeFileSync(path, damaged);
    const events = await all(restoreVault({ source, directory, secret }));
    expect(events).toMatchObject([
      { type: 'finding', finding: { code: 'PAGE_DAMAGED', item: path } },
      { type: 'summary', files: 3, findings: 1 },
    ]);
    expect(readFileSync(path).equals(damaged)).toBe(true);
    expect(readdirSync(directory)).not.toContain('data.db.damaged');
    const vault = await openVault({ directory, secret });
    expect(vault.warnings).toEqual([]);
    const checked = await all(vault.check({ mode: 'full' }));
    expect(checked.filter(({ type }) => type === 'finding')).toEqual([]);
    await vault.close();
  });

  test.each([
    ['its first page is lost', PAGE_SIZE_BYTES],
    ['its salt is lost', 16],
  ])('reading it in place is refused with what gives it back: %s', async (_what, lost) => {
    const made = await closedVault();
    await made.reopen();
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    const path = join(directory, 'data.db');
    writeFileSync(path, readFileSync(path).fill(0, 0, lost));
    const { secret } = made;
    const open = (): Promise<Vault> => openVault({ directory, secret });
    await expect(open()).rejects.toMatchObject({
      code: 'DAMAGED',
      message: `the first page of ${path} is damaged`,
      hint: expect.stringMatching(/^`coffer restore` makes a vault/) as string,
    });
    expect((await all(diagnose({ directory, open }))).slice(0, -1)).toMatchObject([
      {
        finding: {
          code: 'DATABASE_UNREADABLE',
          remedy: expect.stringMatching(/^`coffer restore` makes a vault/) as string,
          mend: `coffer restore ${directory} --vault RESTORED`,
        },
      },
    ]);
    const events = await all(restoreVault({ source: directory, directory: made.path('restored'), secret }));
    expect(events.at(-1)).toMatchObject({ files: 3, findings: 1 });
  });

  test('without a copy of the salt, as older backups are, it needs its first 16 bytes, and no others', async () => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    rmSync(join(source, 'data.db.reserve'));
    const { secret } = made;
    const restore = (name: string): Promise<readonly RestoreEvent[]> =>
      all(restoreVault({ source, directory: made.path(name), secret }));
    expect(await restore('whole')).toMatchObject([{ type: 'summary', files: 3, findings: 0 }]);
    const path = join(source, 'data.db');
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.from(whole).fill(0, 16, PAGE_SIZE_BYTES));
    expect((await restore('without a page')).at(-1)).toMatchObject({ files: 3, findings: 1 });
    writeFileSync(path, Buffer.from(whole).fill(0, 0, 16));
    await expect(restore('without a salt')).rejects.toMatchObject({ code: 'DAMAGED' });
  });

  test.each([
    [
      'of another database',
      (path: string): void => {
        writeFileSync(path, Buffer.alloc(16, 7));
      },
    ],
    [
      'cut off',
      (path: string): void => {
        writeFileSync(path, Buffer.alloc(3, 7));
      },
    ],
    [
      'a folder',
      (path: string): void => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('is not kept from by a copy of the salt that is %s', async (_what, damage) => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    damage(join(source, 'data.db.reserve'));
    const events = await all(restoreVault({ source, directory: made.path('restored'), secret: made.secret }));
    expect(events).toMatchObject([{ type: 'summary', files: 3, findings: 0 }]);
  });

  test('cut off behind its first pages, it gives back the sealed files, which go to quarantine', async () => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    const path = join(source, 'data.db');
    writeFileSync(path, readFileSync(path).subarray(0, 2 * PAGE_SIZE_BYTES));
    const directory = made.path('restored');
    const { secret } = made;
    const events = await all(restoreVault({ source, directory, secret }));
    expect(events).toMatchObject([
      { type: 'finding', finding: { code: 'PAGE_DAMAGED', item: path } },
      { type: 'finding', finding: { code: 'QUARANTINED' } },
      { type: 'summary', files: 0 },
    ]);
    const vault = await openVault({ directory, secret });
    expect(await vault.quarantine()).toMatchObject([{ contentSizeBytes: LARGE.length }]);
    await vault.close();
  });

  test('gives back everything that is not on it, whatever page is damaged', async () => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    const path = join(source, 'data.db');
    const whole = readFileSync(path);
    const { secret } = made;
    const files: number[] = [];
    for (let page = 1; page * PAGE_SIZE_BYTES <= whole.length; page += 1) {
      writeFileSync(path, whole);
      losePage(path, page);
      const directory = made.path(`restored-${String(page)}`);
      const events = await all(restoreVault({ source, directory, secret }));
      expect(events[0]).toMatchObject({ finding: { code: 'PAGE_DAMAGED' } });
      const summary = events.at(-1);
      if (summary?.type === 'summary') files.push(summary.files);
      await (await openVault({ directory, secret })).close();
    }
    expect(files).toEqual(files.map(() => 3));
  });

  test('is not disturbed by what an interrupted attempt with another backup left', async () => {
    const made = await closedVault();
    await made.reopen();
    const source = made.path('backup');
    await all(made.vault.backup(source));
    const directory = made.path('restored');
    const { secret } = made;
    const { vaultId } = await readVaultSlots(source);
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'restore.unfinished'), vaultId);
    for (const name of ['rebuilt', 'rebuilt.new', 'rebuilt.new-wal', 'damaged', 'damaged-wal'])
      writeFileSync(join(directory, `data.db.${name}`), 'of an earlier attempt');
    mkdirSync(join(directory, 'quarantine'), { mode: 0o700 });
    writeFileSync(join(directory, 'quarantine', `${'0'.repeat(32)}.enc`), 'of an earlier attempt');
    const events = await all(restoreVault({ source, directory, secret }));
    expect(events).toMatchObject([{ type: 'summary', files: 3, findings: 0 }]);
    const vault = await openVault({ directory, secret });
    expect(vault.list({ recursive: true, folder: '' }).files).toHaveLength(3);
    expect(vault.warnings).toEqual([]);
    expect(await vault.quarantine()).toEqual([]);
    await vault.close();
  });
});
