import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AddEvent, ImportDiscordopusOptions } from '../../src/index.ts';
import { onPosix } from '../support.ts';
import { TestVault, all } from './test-vault.ts';

const VECTORS = join(import.meta.dirname, '../../../../vectors/discordopus');

interface Expected {
  readonly id: string;
  readonly outcome: 'imported' | 'same' | 'failed';
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly notes: readonly string[];
  readonly modifiedAtMs: number | false;
}
const expected = JSON.parse(readFileSync(join(VECTORS, 'expected.json'), 'utf8')) as Readonly<
  Record<string, readonly Expected[]>
>;

const KEYS = {
  databaseKey: readFileSync(join(VECTORS, 'database.key')),
  fernetKey: readFileSync(join(VECTORS, 'fernet.key')),
};

let made: TestVault;
beforeEach(async () => {
  made = await TestVault.create();
});

/** A copy of a vault of the vectors, for nothing must be able to change those. */
function copyOf(name: string): string {
  const path = made.path('old');
  cpSync(join(VECTORS, name), path, { recursive: true, preserveTimestamps: true });
  return path;
}

async function importFrom(
  source: string,
  options: ImportDiscordopusOptions = KEYS,
): Promise<readonly AddEvent[]> {
  return await all(made.vault.importDiscordopus(source, options));
}

function idOf({ source }: AddEvent): string {
  return /\((.*?)\)$/.exec(source)?.[1] ?? source;
}

/** Everything that can be seen of a folder: names, bytes, and times to the nanosecond. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stat = statSync(join(folder, name), { bigint: true });
      const bytes = stat.isFile() ? readFileSync(join(folder, name)) : '';
      const digest = createHash('sha256').update(bytes).digest('hex');
      return [name, stat.mtimeNs, stat.mode, stat.ino, stat.nlink, digest].join(' ');
    });
}

describe.each([
  ['app', KEYS],
  [
    'passphrase',
    { databasePassphrase: readFileSync(join(VECTORS, 'passphrase.txt')), fernetKey: KEYS.fernetKey },
  ],
  ['log', KEYS],
] as const)('the vault %s of the original application', (name, keys) => {
  test('comes in as it should, each file with its content, and what is damaged is named', async () => {
    const source = copyOf(name);
    const events = await importFrom(source, { ...keys, folder: 'in', tags: ['old'] });
    expect(events.map((event) => [idOf(event), event.type])).toEqual(
      expected[name]?.map(({ id, outcome }) => [
        id,
        { imported: 'added', same: 'skipped', failed: 'failed' }[outcome],
      ]),
    );
    for (const [index, event] of events.entries()) {
      const { name: path = '', sizeBytes, sha256, notes, modifiedAtMs } = expected[name]?.[index] ?? {};
      if (event.type === 'failed') expect(event.error).toMatchObject({ code: 'DAMAGED' });
      if (event.type !== 'added') continue;
      expect(event).toMatchObject({
        file: { name: path, folder: 'in', sizeBytes, sha256, tags: ['old'] },
        notes,
      });
      if (modifiedAtMs !== false) expect(event.file.modifiedAtMs).toBe(modifiedAtMs);
    }
    // Nothing of what was refused is left, and everything that came in is whole.
    const [summary] = await all(made.vault.check());
    expect(summary).toMatchObject({ type: 'summary', findings: 0 });
  });

  test('is not changed: no byte, no time, no file beside it', async () => {
    const source = copyOf(name);
    const before = snapshot(source);
    await importFrom(source, keys);
    expect(snapshot(source)).toEqual(before);
    expect(existsSync(join(made.directory, 'importing'))).toBe(false);
  });
});

describe('importing', () => {
  test('a second time adds nothing', async () => {
    const source = copyOf('app');
    await importFrom(source);
    const before = made.paths();
    const again = await importFrom(source);
    expect(new Set(again.map((event) => (event.type === 'skipped' ? event.reason : event.type)))).toEqual(
      new Set(['same', 'failed']),
    );
    expect(made.paths()).toEqual(before);
  });

  test('keeps what has the same name in the vault, and numbers what is new unless told otherwise', async () => {
    await made.put('hello.txt', 'mine');
    const source = copyOf('app');
    await importFrom(source);
    expect(await made.text('hello.txt')).toBe('mine');
    expect(await made.text('hello (2).txt')).toBe('hello');
    const other = await TestVault.create();
    await other.put('hello.txt', 'mine');
    const events = await all(other.vault.importDiscordopus(source, { ...KEYS, onConflict: 'fail' }));
    expect(events[0]).toMatchObject({ type: 'failed', error: { code: 'EXISTS' } });
  });

  test('dry: verifies everything, says the same, and stores nothing', async () => {
    const events = await importFrom(copyOf('app'), { ...KEYS, dryRun: true });
    expect(events.map(({ type }) => type)).toEqual(
      // Of two with one content the second is only known once the first is there.
      expected['app']?.map(({ outcome }) => (outcome === 'failed' ? 'failed' : 'planned')),
    );
    expect(made.paths()).toEqual([]);
    expect(readdirSync(join(made.directory, 'files'))).toEqual([]);
  });

  test.each<[string, ImportDiscordopusOptions, string]>([
    ['no key', {}, 'INVALID_INPUT'],
    ['two keys', { ...KEYS, databasePassphrase: Buffer.from('x') }, 'INVALID_INPUT'],
    ['no Fernet key', { databaseKey: KEYS.databaseKey }, 'INVALID_INPUT'],
    ['what is no key', { ...KEYS, databaseKey: Buffer.from('12345') }, 'INVALID_INPUT'],
    ['what is no Fernet key', { ...KEYS, fernetKey: Buffer.from('12345') }, 'INVALID_INPUT'],
    ['an empty passphrase', { databasePassphrase: Buffer.from('\n') }, 'INVALID_INPUT'],
    ['another key', { ...KEYS, databaseKey: new Uint8Array(32) }, 'WRONG_KEY'],
    ['the key as a passphrase', { databasePassphrase: KEYS.databaseKey }, 'WRONG_KEY'],
  ])('with %s is refused, and adds nothing', async (_, options, code) => {
    await expect(importFrom(copyOf('app'), options)).rejects.toMatchObject({ code });
    expect(made.paths()).toEqual([]);
    expect(existsSync(join(made.directory, 'importing'))).toBe(false);
  });

  test('takes keys in all their forms', async () => {
    const hex = KEYS.databaseKey.toString().trim();
    const raw = Buffer.from(hex, 'hex');
    const source = copyOf('passphrase');
    cpSync(join(VECTORS, 'log'), source, { recursive: true });
    for (const databaseKey of [
      raw,
      Buffer.from(hex.toUpperCase()),
      Buffer.from(`x'${hex}'\r\n`),
      Buffer.from(`${raw.toString('base64url')}=`),
      Buffer.from(raw.toString('base64')),
    ]) {
      expect(await importFrom(source, { ...KEYS, databaseKey })).toHaveLength(2);
    }
    expect(made.paths()).toEqual(['one.txt', 'two.txt']);
  });

  test('from what is no such vault is refused by name', async () => {
    mkdirSync(made.path('empty'));
    await expect(importFrom(made.path('empty'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(importFrom(made.path('missing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(importFrom(made.directory)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    // Another vault of ours: its key is not the one of this command.
    const other = await TestVault.create();
    await other.vault.close();
    await expect(importFrom(other.directory)).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const text = made.path('text');
    mkdirSync(text);
    writeFileSync(join(text, 'data.db'), 'x'.repeat(10_000));
    await expect(importFrom(text)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  onPosix('never reads outside of the source, through links neither', async () => {
    const source = copyOf('passphrase');
    const token = join(source, 'files/two.enc');
    cpSync(token, made.path('outside.enc'));
    rmSync(token);
    symlinkSync(made.path('outside.enc'), token);
    const keys = {
      databasePassphrase: readFileSync(join(VECTORS, 'passphrase.txt')),
      fernetKey: KEYS.fernetKey,
    };
    const events = await importFrom(source, keys);
    expect(events.map(({ type }) => type)).toEqual(['added', 'failed']);
    // A link inside is only another way to the same file.
    cpSync(made.path('outside.enc'), join(source, 'moved.enc'));
    rmSync(token);
    symlinkSync('../moved.enc', token);
    expect((await importFrom(source, keys)).map(({ type }) => type)).toEqual(['skipped', 'added']);
  });

  test('a database with a damaged page names the file, and the others come in', async () => {
    const source = copyOf('app');
    const path = join(source, 'data.db');
    const intact = readFileSync(path);
    const whole = expected['app']?.filter(({ outcome }) => outcome === 'imported').length ?? 0;
    const hashes = new Set(expected['app']?.map(({ sha256 }) => sha256));
    let alike = 0;
    for (let page = 3; page <= intact.length / 4096; page += 4) {
      const bytes = Buffer.from(intact);
      bytes.writeUInt8(bytes.readUInt8(page * 4096 - 2000) ^ 1, page * 4096 - 2000);
      writeFileSync(path, bytes);
      const folder = `page ${String(page)}`;
      const events = await importFrom(source, { ...KEYS, folder });
      const added = events.filter((event) => event.type === 'added');
      // Some pages hold only an index, or rows that are refused anyway.
      expect(added.length).toBeLessThanOrEqual(whole);
      expect(added.length).toBeGreaterThan(whole / 4);
      expect(added.every(({ file }) => hashes.has(file.sha256))).toBe(true);
      if (added.length === whole - 1) alike++;
    }
    // Most pages are those of the one large BLOB.
    expect(alike).toBeGreaterThan(3);
  });

  test('that is cancelled leaves what was added, and no copy of the database', async () => {
    const source = copyOf('app');
    const cancel = new AbortController();
    const running = (async () => {
      const events = made.vault.importDiscordopus(source, { ...KEYS, signal: cancel.signal });
      for await (const event of events) if (event.type === 'added') cancel.abort();
    })();
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(existsSync(join(made.directory, 'importing'))).toBe(false);
  });

  test('says when the source was written to meanwhile', async () => {
    const source = copyOf('app');
    const events: AddEvent[] = [];
    for await (const event of made.vault.importDiscordopus(source, KEYS)) {
      if (events.length === 0) writeFileSync(join(source, 'data.db-wal'), 'new');
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'SOURCE_CHANGED' } });
  });

  test('that was killed leaves a copy, which the next opening removes', async () => {
    mkdirSync(join(made.directory, 'importing'), { mode: 0o700 });
    writeFileSync(join(made.directory, 'importing/data.db'), 'left');
    await made.reopen();
    expect(existsSync(join(made.directory, 'importing'))).toBe(false);
  });
});
