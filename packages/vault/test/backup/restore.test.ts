import { SEALED_FILE } from '@coffer/crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyfile, createVault, openVault, readVaultSlots, restoreVault } from '../../src/index.ts';
import type { RestoreEvent, RestoreOptions } from '../../src/index.ts';
import { TestVault, all } from '../vault/test-vault.ts';
import { openBackup, summaryOf } from './support.ts';

const LARGE = new Uint8Array(400_000).fill(7);

/** A vault with a backup in `backup`, and what restores it to `restored`. */
async function backedUp(): Promise<{ made: TestVault; source: string; options: RestoreOptions }> {
  const made = await TestVault.create();
  await made.put('small.txt');
  await made.put('a/large', LARGE);
  await made.put(
    'b/large',
    LARGE.map((_, index) => index),
  );
  const source = made.path('backup');
  await all(made.vault.backup(source));
  return { made, source, options: { source, directory: made.path('restored'), secret: made.secret } };
}

function findings(events: readonly RestoreEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'finding' ? [`${event.finding.code} ${event.finding.path ?? ''}`] : [],
  );
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** The sealed files of a folder, in the order of their names. */
function sealedPaths(directory: string): string[] {
  return readdirSync(join(directory, 'files'))
    .sort()
    .map((name) => join(directory, 'files', name));
}

describe('restoring', () => {
  test('makes a vault of its own that the same secret opens, with everything, verified', async () => {
    const { made, source, options } = await backedUp();
    const before = readdirSync(source, { recursive: true });
    const events = await all(restoreVault(options));
    expect(events).toMatchObject([
      {
        type: 'summary',
        directory: options.directory,
        files: 3,
        sizeBytes: 800_009,
        verified: true,
        findings: 0,
      },
    ]);
    expect(readdirSync(source, { recursive: true })).toEqual(before);
    expect(statSync(options.directory).mode & 0o777).toBe(0o700);
    for (const path of [...sealedPaths(options.directory), join(options.directory, 'data.db')]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(path).nlink).toBe(1);
    }
    await using restored = await openVault({ directory: options.directory, secret: made.secret });
    expect(restored.warnings).toEqual([]);
    expect(restored.status().backupMadeAtMs).toBeUndefined();
    expect(restored.list().files).toEqual(made.vault.list().files);
    expect(await all(restored.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
    restored.move('small.txt', 'moved.txt');
  });

  test('goes on with the same place of backups', async () => {
    const { made, source, options } = await backedUp();
    await all(restoreVault(options));
    await using restored = await openVault({ directory: options.directory, secret: made.secret });
    expect(summaryOf(await all(restored.backup(source)))).toMatchObject({
      copied: { files: 0 },
      unchanged: { files: 2 },
    });
    // Now it is the backup of the other one.
    await expect(all(made.vault.backup(source))).rejects.toMatchObject({ code: 'EXISTS' });
  });

  test('a wrong key leaves nothing', async () => {
    const { made, options } = await backedUp();
    const path = made.path('other-key');
    await createKeyfile(path);
    await expect(all(restoreVault({ ...options, secret: { kind: 'keyfile', path } }))).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
    expect(existsSync(options.directory)).toBe(false);
  });

  test('reports how far it is', async () => {
    const { options } = await backedUp();
    const fractions: (number | undefined)[] = [];
    await all(restoreVault({ ...options, onProgress: ({ fraction }) => fractions.push(fraction) }));
    expect(fractions.at(-1)).toBe(1);
    expect(fractions.toSorted()).toEqual(fractions);
  });

  test('takes what is not in the database file yet, from the log beside it', async () => {
    const { made, source, options } = await backedUp();
    await made.put('new.txt');
    // A database and its log as kill -9 leaves them.
    for (const suffix of ['', '-wal'])
      copyFileSync(join(made.directory, `data.db${suffix}`), join(source, `data.db${suffix}`));
    await all(restoreVault(options));
    await using restored = await openVault({ directory: options.directory, secret: made.secret });
    expect(restored.list().files.map(({ path }) => path)).toContain('new.txt');
  });
});

describe('what is damaged in a backup', () => {
  test('is found by check', async () => {
    const { made, source } = await backedUp();
    const [first = '', second = ''] = sealedPaths(source);
    flip(first, 300_000);
    rmSync(second);
    await openBackup(made, source, async (backup) => {
      const codes = (await all(backup.check())).map((event) =>
        event.type === 'finding' ? event.finding.code : event.type,
      );
      expect(codes.sort()).toEqual(['FILE_MISSING', 'SEGMENT_DAMAGED', 'summary']);
    });
    // The next backup mends what is missing, and with --verify what is damaged.
    expect(summaryOf(await all(made.vault.backup(source))).copied.files).toBe(1);
    expect(summaryOf(await all(made.vault.backup(source, { verify: true }))).copied.files).toBe(1);
    await openBackup(made, source, async (backup) => {
      expect(await all(backup.check())).toMatchObject([{ findings: 0 }]);
    });
  });

  test.each([
    [
      'a segment',
      'SEGMENT_DAMAGED',
      (path: string) => {
        flip(path, 300_000);
      },
    ],
    [
      'the header',
      'HEADER_DAMAGED',
      (path: string) => {
        flip(path, 50);
      },
    ],
    [
      'the end',
      'FILE_TRUNCATED',
      (path: string) => {
        writeFileSync(path, readFileSync(path).subarray(0, 200_000));
      },
    ],
    [
      'a file that is not there',
      'FILE_MISSING',
      (path: string) => {
        rmSync(path);
      },
    ],
    [
      'a file in the place of another',
      'FILE_SWAPPED',
      (path: string) => {
        copyFileSync(sealedPaths(join(path, '..', '..'))[1] ?? '', path);
      },
    ],
  ])('is named, and the rest is restored: %s', async (_what, code, damage) => {
    const { made, source, options } = await backedUp();
    const [path = ''] = sealedPaths(source);
    damage(path);
    const events = await all(restoreVault(options));
    expect(findings(events)).toEqual([expect.stringContaining(code)]);
    expect(events.at(-1)).toMatchObject({ type: 'summary', findings: 1 });
    await using restored = await openVault({ directory: options.directory, secret: made.secret });
    const conditions = restored
      .list({ recursive: true, folder: '' })
      .files.map(({ condition }) => condition)
      .sort();
    expect(conditions).toEqual([code === 'FILE_MISSING' ? 'missing' : 'damaged', 'ok', 'ok'].sort());
  });

  test('in its content is not looked for without verifying', async () => {
    const { source, options } = await backedUp();
    flip(sealedPaths(source)[0] ?? '', 300_000);
    expect(await all(restoreVault({ ...options, verify: false }))).toMatchObject([
      { type: 'summary', verified: false, findings: 0 },
    ]);
  });

  test('in the header is found even so', async () => {
    const { source, options } = await backedUp();
    const path = sealedPaths(source)[0] ?? '';
    writeFileSync(path, readFileSync(path).fill(0, 0, SEALED_FILE.HEADER_SIZE_BYTES));
    expect(findings(await all(restoreVault({ ...options, verify: false })))).toEqual([
      expect.stringContaining('HEADER_DAMAGED'),
    ]);
  });
});

describe('restoring is refused', () => {
  test('from what is no backup', async () => {
    const { made, options } = await backedUp();
    await made.vault.close();
    await expect(all(restoreVault({ ...options, source: made.directory }))).rejects.toMatchObject({
      code: 'NO_VAULT',
      message: expect.stringContaining('not a backup') as string,
    });
    await expect(all(restoreVault({ ...options, source: made.path('nowhere') }))).rejects.toMatchObject({
      code: 'NO_VAULT',
    });
    expect(existsSync(options.directory)).toBe(false);
  });

  test('to a folder that has something, or is the backup', async () => {
    const { made, source, options } = await backedUp();
    const other = made.path('other');
    await (await createVault({ directory: other, secret: made.secret })).close();
    mkdirSync(made.path('papers'));
    writeFileSync(made.path('papers', 'thesis.odt'), 'x');
    for (const directory of [made.directory, other, made.path('papers')])
      await expect(all(restoreVault({ ...options, directory }))).rejects.toMatchObject({ code: 'EXISTS' });
    for (const directory of [source, join(source, 'new'), made.root])
      await expect(all(restoreVault({ ...options, directory }))).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    expect(readdirSync(made.path('papers'))).toEqual(['thesis.odt']);
  });

  test('while somebody has the backup open', async () => {
    const { made, source, options } = await backedUp();
    await openBackup(made, source, async () => {
      await expect(all(restoreVault(options))).rejects.toMatchObject({ code: 'IN_USE' });
    });
  });
});

describe('a restore that was interrupted', () => {
  test('is no vault yet, says so, and goes on where it was', async () => {
    const { made, options } = await backedUp();
    const aborter = new AbortController();
    const interrupted = restoreVault({
      ...options,
      signal: aborter.signal,
      onProgress: () => {
        aborter.abort();
      },
    });
    await expect(all(interrupted)).rejects.toMatchObject({ code: 'ABORTED' });
    const { directory, secret } = options;
    const refused = { code: 'NO_VAULT', message: expect.stringContaining('interrupted') as string };
    await expect(openVault({ directory, secret })).rejects.toMatchObject(refused);
    await expect(readVaultSlots(directory)).rejects.toMatchObject(refused);
    await expect(createVault({ directory, secret })).rejects.toMatchObject({ code: 'EXISTS' });
    const copied = sealedPaths(directory).map((path) => [path, statSync(path).ino]);
    expect(copied).not.toEqual([]);
    await all(restoreVault(options));
    for (const [path, ino] of copied) expect(statSync(String(path)).ino).toBe(ino);
    await using restored = await openVault(options);
    expect(restored.list().files).toEqual(made.vault.list().files);
    expect(readdirSync(directory)).not.toContain('restore.unfinished');
  });

  test('of another vault is not gone on with', async () => {
    const [{ options }, other] = [await backedUp(), await backedUp()];
    const aborter = new AbortController();
    const interrupted = restoreVault({
      ...options,
      signal: aborter.signal,
      onProgress: () => {
        aborter.abort();
      },
    });
    await expect(all(interrupted)).rejects.toMatchObject({ code: 'ABORTED' });
    const { source, secret } = other.options;
    await expect(all(restoreVault({ ...options, source, secret }))).rejects.toMatchObject({ code: 'EXISTS' });
  });

  test('goes on with a backup that has changed since', async () => {
    const { made, source, options } = await backedUp();
    const aborter = new AbortController();
    const interrupted = restoreVault({
      ...options,
      signal: aborter.signal,
      onProgress: () => {
        aborter.abort();
      },
    });
    await expect(all(interrupted)).rejects.toMatchObject({ code: 'ABORTED' });
    await all(made.vault.removePaths(['a', 'b'], { recursive: true }));
    await all(made.vault.backup(source));
    expect(await all(restoreVault(options))).toMatchObject([{ type: 'summary', files: 1, findings: 0 }]);
    expect(sealedPaths(options.directory)).toEqual([]);
  });
});
