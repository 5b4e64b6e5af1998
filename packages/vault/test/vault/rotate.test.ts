import { decodeHeader, encodeHeader, FileKey, hexToBytes, openSegment } from '@coffer/crypto';
import { fileIdFromBytes, openDatabase } from '@coffer/database';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyfile, createRecoveryCode, openVault } from '../../src/index.ts';
import type { SlotSecret } from '../../src/index.ts';
import { CHEAP, passphrase } from '../support.ts';
import {
  expectNowhere,
  expectOpensNothing,
  headerFiles,
  keeping,
  rotate,
  stealRootKey,
  summaryOf,
  wrappedKeys,
} from './rotation.ts';
import { TestVault, all } from './test-vault.ts';

const SEALED = 150_000;

describe('rotating the root key', () => {
  test('leaves the old root key nothing, and every file as it was', async () => {
    const made = await TestVault.create();
    const { directory, vault } = made;
    const contents = new Map<string, Buffer>();
    for (const [path, size] of [
      ['small', 10],
      ['letters/sealed', SEALED],
      ['letters/large', 700_000],
    ] as const) {
      contents.set(path, randomBytes(size));
      await made.put(path, contents.get(path) ?? '');
    }
    const second: SlotSecret = { kind: 'keyfile', path: made.path('second') };
    await createKeyfile(second.path);
    await vault.addSlot(second);
    await vault.close();
    const old = await stealRootKey(directory, made.secret);
    await addPartialAndQuarantined(directory, old);
    const before = wrappedKeys(directory);
    expect(before.length).toBeGreaterThanOrEqual(6);

    const opened = await made.reopen();
    const events = await rotate(opened, keeping(opened, made.secret));
    expect(events.map(({ type }) => type)).toEqual(['slots', 'database', 'summary']);
    expect(summaryOf(events)).toMatchObject({ keyEpoch: 2, rewrapped: 4, finished: true });
    expect(events[0]).toMatchObject({ slots: [{ kind: 'keyfile' }], dropped: [{ kind: 'keyfile' }] });
    expect(opened.status()).toMatchObject({ keyEpoch: 2, rotation: 'none', slots: 1 });
    for (const [path, content] of contents) expect(await bytesOf(opened, path)).toEqual(content);
    await opened.close();

    await expectOpensNothing(directory, old);
    expectNowhere(directory, before);
    await expect(openVault({ directory, secret: second })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const again = await made.reopen();
    expect(again.warnings).toEqual([]);
    for (const [path, content] of contents) expect(await bytesOf(again, path)).toEqual(content);
    const findings = await all(again.check());
    expect(findings.filter((event) => event.type === 'finding')).toEqual([]);
    expect(await again.keyEpochs()).toEqual([{ epoch: 2, files: 2 }]);
  });

  test('can be done again and again', async () => {
    const made = await TestVault.create();
    await made.put('sealed', randomBytes(SEALED));
    for (const epoch of [2, 3, 4]) {
      const events = await rotate(made.vault, keeping(made.vault, made.secret));
      expect(summaryOf(events)).toMatchObject({ keyEpoch: epoch, rewrapped: 1, finished: true });
      await made.reopen();
    }
    expect((await bytesOf(made.vault, 'sealed')).length).toBe(SEALED);
    await expect(made.vault.close()).resolves.toBeUndefined();
  });

  test('keeps passphrases at their cost and labels, and takes a new recovery code', async () => {
    const made = await TestVault.create();
    const { vault } = made;
    const phrase = passphrase('correct horse battery staple');
    await vault.addSlot(phrase, { argon2id: CHEAP, label: 'desk' });
    const oldCode = createRecoveryCode();
    await vault.replaceRecoveryCode(oldCode);
    const code = createRecoveryCode();
    const recovery: SlotSecret = { kind: 'recovery', code };
    await rotate(vault, keeping(vault, made.secret, phrase, recovery));
    expect(vault.slots().map(({ kind, label }) => [kind, label])).toEqual([
      ['keyfile', undefined],
      ['passphrase', 'desk'],
      ['recovery', undefined],
    ]);
    await vault.close();
    const file = JSON.parse(readFileSync(join(made.directory, 'vault.json'), 'utf8')) as {
      slots: { argon2id?: object }[];
    };
    expect(file.slots[1]?.argon2id).toMatchObject(CHEAP);
    for (const secret of [made.secret, phrase, recovery]) {
      await using opened = await openVault({ directory: made.directory, secret });
      expect(opened.status().keyEpoch).toBe(2);
    }
    await expect(
      openVault({ directory: made.directory, secret: { kind: 'recovery', code: oldCode } }),
    ).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  test('goes on with saves, reads and deletions meanwhile', async () => {
    const made = await TestVault.create();
    const { vault } = made;
    const contents = new Map<string, Buffer>();
    for (let number = 0; number < 30; number += 1) {
      const content = randomBytes(SEALED + number);
      contents.set(`before/${String(number)}`, content);
      await made.put(`before/${String(number)}`, content);
    }
    // Begun under the old root key, and finished under the new one.
    const slow = new PausedSource(randomBytes(400_000));
    const saving = vault.addStream(slow.pieces(), { name: 'slow', folder: 'during' });
    await slow.hasBegun;
    contents.set('during/slow', slow.content);
    const rotating = vault.rotate(keeping(vault, made.secret));
    expect((await rotating.next()).value).toMatchObject({ type: 'slots' });
    const finished = all(rotating);
    const adding = Array.from({ length: 10 }, async (_, number) => {
      const content = randomBytes(SEALED + number);
      contents.set(`during/${String(number)}`, content);
      await made.put(`during/${String(number)}`, content);
    });
    const reading = [...contents]
      .filter(([path]) => path.startsWith('before/1'))
      .map(async ([path, content]) => {
        expect(await bytesOf(vault, path)).toEqual(content);
      });
    const deleted = ['before/0', 'before/7', 'before/29'];
    const deleting = all(vault.removePaths(deleted));
    await Promise.all([...adding, ...reading, deleting]);
    expect(summaryOf(await finished)).toMatchObject({ finished: true });
    slow.goOn();
    await saving;
    for (const path of deleted) contents.delete(path);

    const again = await made.reopen();
    expect(again.warnings).toEqual([]);
    expect(made.paths()).toEqual([...contents.keys()].sort());
    for (const [path, content] of contents) expect(await bytesOf(again, path), path).toEqual(content);
    const findings = await all(again.check());
    expect(findings.filter((event) => event.type === 'finding')).toEqual([]);
  });
});

describe('before anything has changed a rotation fails for', () => {
  test.each([
    [
      'a slot that is neither kept nor dropped',
      'INVALID_INPUT',
      (slots: string[]) => ({ drop: [], keep: [slots[0]] }),
    ],
    ['a slot that is both', 'INVALID_INPUT', (slots: string[]) => ({ drop: slots, keep: [slots[0]] })],
    [
      'a slot that is not there',
      'NOT_FOUND',
      (slots: string[]) => ({ drop: ['ffffffff', ...slots.slice(1)], keep: [slots[0]] }),
    ],
    ['no slot left', 'LAST_SLOT', (slots: string[]) => ({ drop: slots, keep: [] })],
    [
      'a secret that opens another slot',
      'WRONG_KEY',
      (slots: string[]) => ({ drop: [slots[0] ?? ''], keep: [slots[1]] }),
    ],
  ])('%s', async (_, code, choose) => {
    const made = await TestVault.create();
    const second: SlotSecret = { kind: 'keyfile', path: made.path('second') };
    await createKeyfile(second.path);
    await made.vault.addSlot(second);
    const before = readFileSync(join(made.directory, 'vault.json'));
    const { keep, drop } = choose(made.vault.slots().map(({ id }) => id));
    const options = { drop, keep: keep.map((slotId = '') => ({ slotId, secret: made.secret })) };
    await expect(rotate(made.vault, options)).rejects.toMatchObject({ code });
    expect(readFileSync(join(made.directory, 'vault.json'))).toEqual(before);
    expect(readdirSync(made.directory).filter((name) => name.includes('rekey'))).toEqual([]);
    expect(made.vault.status()).toMatchObject({ keyEpoch: 1, rotation: 'none' });
    await made.put('still', 'works');
    expect((await made.reopen()).status().keyEpoch).toBe(1);
  });
});

describe('a rotation that was interrupted', () => {
  test('after the new slots: both epochs are read, the new one is written, and it is gone on with', async () => {
    const made = await TestVault.create();
    const contents = new Map([
      ['blob', randomBytes(2_000)],
      ['sealed', randomBytes(SEALED)],
    ]);
    for (const [path, content] of contents) await made.put(path, content);
    await made.vault.close();
    const old = await stealRootKey(made.directory, made.secret);
    await made.reopen();
    const rotating = made.vault.rotate(keeping(made.vault, made.secret));
    await rotating.next();
    await rotating.return();
    const opened = await made.reopen();
    expect(opened.status()).toMatchObject({ keyEpoch: 2, rotation: 'database' });
    expect(opened.warnings.join()).toContain('coffer key rotate');
    contents.set('later', randomBytes(SEALED));
    await made.put('later', contents.get('later') ?? '');
    expect(await opened.keyEpochs()).toEqual([
      { epoch: 2, files: 1 },
      { epoch: 1, files: 1 },
    ]);
    await expect(rotate(opened, keeping(opened, made.secret))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    for (const [path, content] of contents) expect(await bytesOf(opened, path)).toEqual(content);
    const findings = await all(opened.check());
    expect(findings.filter((event) => event.type === 'finding')).toEqual([]);
    const events = await all(opened.resumeRotation());
    expect(summaryOf(events)).toMatchObject({ keyEpoch: 2, rewrapped: 1, finished: true });
    for (const [path, content] of contents) expect(await bytesOf(opened, path)).toEqual(content);
    await opened.close();
    await expectOpensNothing(made.directory, old);
    await expect(all((await made.reopen()).resumeRotation())).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  test('by a signal while headers are written', async () => {
    const made = await TestVault.create();
    for (let number = 0; number < 40; number += 1)
      await made.put(String(number), randomBytes(SEALED + number));
    const cancel = new AbortController();
    const rotating = rotate(made.vault, {
      ...keeping(made.vault, made.secret),
      signal: cancel.signal,
      onProgress: () => {
        cancel.abort();
      },
    });
    await expect(rotating).rejects.toMatchObject({ code: 'ABORTED' });
    expect(made.vault.status()).toMatchObject({ rotation: 'headers' });
    const opened = await made.reopen();
    const epochs = await opened.keyEpochs();
    expect(epochs.reduce((sum, { files }) => sum + files, 0)).toBe(40);
    expect(epochs.find(({ epoch }) => epoch === 1)?.files).toBeGreaterThan(0);
    for (let number = 0; number < 40; number += 1)
      expect((await bytesOf(opened, String(number))).length).toBe(SEALED + number);
    expect(summaryOf(await all(opened.resumeRotation()))).toMatchObject({ finished: true });
    expect(await opened.keyEpochs()).toEqual([{ epoch: 2, files: 40 }]);
  });

  test('between the two copies of vault.json, with a secret that stays and with one that goes', async () => {
    for (const which of ['kept', 'dropped'] as const) {
      const made = await TestVault.create();
      const dropped: SlotSecret = { kind: 'keyfile', path: made.path('dropped') };
      await createKeyfile(dropped.path);
      await made.vault.addSlot(dropped);
      const content = randomBytes(SEALED);
      await made.put('sealed', content);
      const copy = join(made.directory, 'vault.json.bak');
      const oldCopy = readFileSync(copy);
      const rotating = made.vault.rotate(keeping(made.vault, made.secret));
      await rotating.next();
      await rotating.return();
      await made.vault.close();
      writeFileSync(copy, oldCopy);
      await using opened = await openVault({
        directory: made.directory,
        secret: which === 'kept' ? made.secret : dropped,
      });
      expect(opened.status()).toMatchObject(
        which === 'kept' ? { keyEpoch: 2, rotation: 'database' } : { keyEpoch: 1, rotation: 'none' },
      );
      expect(await bytesOf(opened, 'sealed')).toEqual(content);
      expect(readFileSync(copy)).toEqual(readFileSync(join(made.directory, 'vault.json')));
    }
  });
});

describe('old copies put back after a rotation', () => {
  test('of vault.json.bak: a dropped secret opens nothing and destroys nothing', async () => {
    const made = await TestVault.create();
    const dropped: SlotSecret = { kind: 'keyfile', path: made.path('dropped') };
    await createKeyfile(dropped.path);
    await made.vault.addSlot(dropped);
    const copy = join(made.directory, 'vault.json.bak');
    const oldCopy = readFileSync(copy);
    await rotate(made.vault, keeping(made.vault, made.secret));
    await made.vault.close();
    const current = readFileSync(join(made.directory, 'vault.json'));
    writeFileSync(copy, oldCopy);
    await expect(openVault({ directory: made.directory, secret: dropped })).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
    expect(readFileSync(join(made.directory, 'vault.json'))).toEqual(current);
    const opened = await made.reopen();
    expect(opened.status().keyEpoch).toBe(2);
  });

  test('of both: it is said that they do not fit the database', async () => {
    const made = await TestVault.create();
    const old = readFileSync(join(made.directory, 'vault.json'));
    await rotate(made.vault, keeping(made.vault, made.secret));
    await made.vault.close();
    for (const name of ['vault.json', 'vault.json.bak']) writeFileSync(join(made.directory, name), old);
    const opening = openVault({ directory: made.directory, secret: made.secret });
    await expect(opening).rejects.toMatchObject({ code: 'DAMAGED' });
    await expect(opening).rejects.toThrow('does not open');
  });

  test('of a sealed file: it is damage', async () => {
    const made = await TestVault.create();
    const id = await made.put('sealed', randomBytes(SEALED));
    const path = join(made.directory, 'files', `${id}.enc`);
    copyFileSync(path, made.path('copy'));
    await rotate(made.vault, keeping(made.vault, made.secret));
    copyFileSync(made.path('copy'), path);
    await expect(bytesOf(made.vault, 'sealed')).rejects.toMatchObject({ code: 'DAMAGED' });
  });
});

describe('damage does not keep a rotation from ending', () => {
  test('and is named', async () => {
    const made = await TestVault.create();
    const broken = await made.put('broken', randomBytes(SEALED));
    const folder = await made.put('folder', randomBytes(SEALED));
    const gone = await made.put('gone', randomBytes(SEALED));
    await made.put('whole', randomBytes(SEALED));
    const pathOf = (id: string): string => join(made.directory, 'files', `${id}.enc`);
    await made.vault.close();
    const bytes = readFileSync(pathOf(broken));
    bytes[50] = (bytes[50] ?? 0) ^ 1;
    writeFileSync(pathOf(broken), bytes);
    const { rmSync } = await import('node:fs');
    for (const id of [folder, gone]) rmSync(pathOf(id));
    mkdirSync(pathOf(folder));
    const opened = await made.reopen();
    const events = await rotate(opened, keeping(opened, made.secret));
    const problems = events.filter((event) => event.type === 'problem');
    expect(problems.map(({ kind, path }) => [kind, path]).sort()).toEqual(
      [broken, folder].map((id) => ['damaged', `files/${id}.enc`]).sort(),
    );
    expect(summaryOf(events)).toMatchObject({ rewrapped: 1, finished: true });
    expect((await bytesOf(opened, 'whole')).length).toBe(SEALED);
  });
});

describe('resealing', () => {
  test('gives every file a fresh file key and keeps ids and contents', async () => {
    const made = await TestVault.create();
    const contents = new Map([
      ['a', randomBytes(SEALED)],
      ['b', randomBytes(600_000)],
      ['small', randomBytes(500)],
    ]);
    const ids = new Map<string, string>();
    for (const [path, content] of contents) ids.set(path, await made.put(path, content));
    await made.vault.close();
    using old = await stealRootKey(made.directory, made.secret);
    using oldFileKey = stealFileKey(made.directory, ids.get('b') ?? '', old);
    expect(opensFirstSegment(made.directory, ids.get('b') ?? '', oldFileKey)).toBe(true);
    await made.reopen();
    const events = await rotate(made.vault, { ...keeping(made.vault, made.secret), reseal: true });
    expect(summaryOf(events)).toMatchObject({
      rewrapped: 2,
      resealed: 2,
      resealedBytes: SEALED + 600_000,
      finished: true,
    });
    const again = await made.reopen();
    for (const [path, content] of contents) {
      expect(await bytesOf(again, path)).toEqual(content);
      expect(again.resolve(path)).toMatchObject({ file: { id: ids.get(path) } });
    }
    expect(opensFirstSegment(made.directory, ids.get('b') ?? '', oldFileKey)).toBe(false);
    const findings = await all(again.check());
    expect(findings.filter((event) => event.type === 'finding')).toEqual([]);
    expect(readdirSync(join(made.directory, 'files')).sort()).toEqual(
      ['a', 'b'].map((path) => `${ids.get(path) ?? ''}.enc`).sort(),
    );
  });

  test('goes on where it stopped, and does nothing twice', async () => {
    const made = await TestVault.create();
    for (let number = 0; number < 8; number += 1)
      await made.put(String(number), randomBytes(SEALED + number));
    const cancel = new AbortController();
    const rotating = made.vault.rotate({
      ...keeping(made.vault, made.secret),
      reseal: true,
      signal: cancel.signal,
      onProgress: ({ bytesTotal, bytesDone }) => {
        // The second phase: bytes of contents, not of headers.
        if ((bytesTotal ?? 0) > 8 * SEALED && bytesDone > 2 * SEALED) cancel.abort();
      },
    });
    await all(rotating).catch(() => undefined);
    const opened = await made.reopen();
    if (opened.status().rotation !== 'none') {
      expect(opened.status()).toMatchObject({ rotation: 'reseal', keyEpoch: 2 });
      const summary = summaryOf(await all(opened.resumeRotation()));
      expect(summary).toMatchObject({ rewrapped: 0, finished: true });
      expect(summary.resealed).toBeLessThan(8);
    }
    for (let number = 0; number < 8; number += 1)
      expect((await bytesOf(opened, String(number))).length).toBe(SEALED + number);
  });

  test('seals files in quarantine again, too, under the names that they have there', async () => {
    const made = await TestVault.create();
    const content = randomBytes(600_000);
    const id = await made.put('lost', content);
    const name = `${id}.enc`;
    const [sealed, quarantined] = [
      join(made.directory, 'files', name),
      join(made.directory, 'quarantine', name),
    ];
    copyFileSync(sealed, made.path('kept'));
    await all(made.vault.removePaths(['lost']));
    await made.vault.close();
    mkdirSync(join(made.directory, 'quarantine'), { mode: 0o700 });
    for (const ending of ['', '.1']) copyFileSync(made.path('kept'), `${quarantined}${ending}`);
    writeFileSync(`${quarantined}.2`, readFileSync(made.path('kept')).subarray(0, 300_000));
    using old = await stealRootKey(made.directory, made.secret);
    using oldFileKey = fileKeyIn(quarantined, id, old);
    expect(opensSegment(quarantined, oldFileKey)).toBe(true);

    const opened = await made.reopen();
    const events = await rotate(opened, { ...keeping(opened, made.secret), reseal: true });
    expect(summaryOf(events)).toMatchObject({ resealed: 2, resealedBytes: 1_200_000, finished: true });
    expect(events.filter((event) => event.type === 'problem')).toMatchObject([
      { kind: 'damaged', path: `quarantine/${name}.2` },
    ]);
    for (const ending of ['', '.1']) expect(opensSegment(`${quarantined}${ending}`, oldFileKey)).toBe(false);
    expect(readdirSync(join(made.directory, 'quarantine')).sort()).toEqual([name, `${name}.1`, `${name}.2`]);
    await all(opened.adopt([name], { name: 'found' }));
    expect(await bytesOf(opened, 'found')).toEqual(content);
  });

  test('is not finished before a file that is being received can be sealed again', async () => {
    const made = await TestVault.create();
    await made.put('whole', randomBytes(SEALED));
    await made.vault.close();
    using old = await stealRootKey(made.directory, made.secret);
    await addPartialAndQuarantined(made.directory, old);
    rmSync(join(made.directory, 'quarantine'), { recursive: true });
    let opened = await made.reopen();
    const events = await rotate(opened, { ...keeping(opened, made.secret), reseal: true });
    const partial = readdirSync(join(made.directory, 'files')).find((name) => name.endsWith('.part'));
    expect(events.filter((event) => event.type === 'problem')).toMatchObject([
      { kind: 'failed', path: `files/${partial ?? ''}` },
    ]);
    expect(summaryOf(events)).toMatchObject({ resealed: 1, finished: false });
    await opened.close();
    await expectOpensNothing(made.directory, old);

    using current = await stealRootKey(made.directory, made.secret);
    using databaseKey = current.derive('coffer/database/v1');
    const path = join(made.directory, 'data.db');
    {
      using database = openDatabase({ path, key: databaseKey.exportBytes() });
      database.transfers.cancel('incoming');
    }
    opened = await made.reopen();
    expect(opened.status()).toMatchObject({ rotation: 'reseal' });
    expect(summaryOf(await all(opened.resumeRotation()))).toMatchObject({ resealed: 0, finished: true });
    expect(headerFiles(made.directory)).toHaveLength(1);
  });

  test('has also what was being saved when the rotation began, once it is saved', async () => {
    const made = await TestVault.create();
    const { vault } = made;
    const slow = new PausedSource(randomBytes(400_000));
    const saving = vault.addStream(slow.pieces(), { name: 'slow', folder: '' });
    await slow.hasBegun;
    const events = await rotate(vault, { ...keeping(vault, made.secret), reseal: true });
    expect(events.filter((event) => event.type === 'problem')).toMatchObject([{ kind: 'failed' }]);
    expect(summaryOf(events)).toMatchObject({ resealed: 0, finished: false });
    slow.goOn();
    await saving;
    expect(summaryOf(await all(vault.resumeRotation()))).toMatchObject({ resealed: 1, finished: true });
    expect(await bytesOf(await made.reopen(), 'slow')).toEqual(slow.content);
  });

  test('that was asked for while going on with a rotation is done, also when that is interrupted again', async () => {
    const made = await TestVault.create();
    for (let number = 0; number < 4; number += 1)
      await made.put(String(number), randomBytes(SEALED + number));
    const rotating = made.vault.rotate(keeping(made.vault, made.secret));
    await rotating.next();
    await rotating.return();
    let opened = await made.reopen();
    expect(opened.status()).toMatchObject({ rotation: 'database' });
    const cancel = new AbortController();
    const goingOn = opened.resumeRotation({
      reseal: true,
      signal: cancel.signal,
      onProgress: () => {
        cancel.abort();
      },
    });
    await expect(all(goingOn)).rejects.toMatchObject({ code: 'ABORTED' });
    opened = await made.reopen();
    expect(opened.status()).toMatchObject({ rotation: 'headers' });
    expect(summaryOf(await all(opened.resumeRotation()))).toMatchObject({ resealed: 4, finished: true });
    for (let number = 0; number < 4; number += 1)
      expect((await bytesOf(opened, String(number))).length).toBe(SEALED + number);
  });

  test('leaves a damaged file as it is and names it', async () => {
    const made = await TestVault.create();
    const id = await made.put('broken', randomBytes(SEALED));
    await made.put('whole', randomBytes(SEALED));
    await made.vault.close();
    const path = join(made.directory, 'files', `${id}.enc`);
    const bytes = readFileSync(path);
    bytes[20_000] = (bytes[20_000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const opened = await made.reopen();
    const events = await rotate(opened, { ...keeping(opened, made.secret), reseal: true });
    expect(events.filter((event) => event.type === 'problem')).toMatchObject([
      { kind: 'damaged', path: `files/${id}.enc` },
    ]);
    expect(summaryOf(events)).toMatchObject({ resealed: 1, finished: true });
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(join(made.directory, 'files')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

async function bytesOf(vault: TestVault['vault'], item: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read(item)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

/** A file that is being received and one in quarantine, as a storage has them: headers that rows do not name. */
async function addPartialAndQuarantined(
  directory: string,
  root: Awaited<ReturnType<typeof stealRootKey>>,
): Promise<void> {
  using storageKey = root.derive('coffer/storage/v1');
  using databaseKey = root.derive('coffer/database/v1');
  const make = (path: string, id: Uint8Array): void => {
    using fileKey = FileKey.generate();
    const header = { fileId: id, keyEpoch: 1, sequence: 1n, segmentSizeLog2: 18 };
    writeFileSync(path, encodeHeader(storageKey, fileKey, header), { mode: 0o600 });
  };
  const [partial, quarantined] = [randomBytes(16), randomBytes(16)];
  make(join(directory, 'files', `${partial.toString('hex')}.enc.part`), partial);
  mkdirSync(join(directory, 'quarantine'), { mode: 0o700 });
  make(join(directory, 'quarantine', `${quarantined.toString('hex')}.enc.1`), quarantined);
  using database = openDatabase({ path: join(directory, 'data.db'), key: databaseKey.exportBytes() });
  database.transfers.create({
    id: 'incoming',
    direction: 'receive',
    peer: undefined,
    name: 'incoming.bin',
    mimeType: 'application/octet-stream',
    sizeBytes: 1_000_000,
    sha256: undefined,
    chunkSizeBytes: 262_144,
    fileId: fileIdFromBytes(partial),
  });
  await Promise.resolve();
}

function stealFileKey(
  directory: string,
  id: string,
  root: Awaited<ReturnType<typeof stealRootKey>>,
): FileKey {
  return fileKeyIn(join(directory, 'files', `${id}.enc`), id, root);
}

function fileKeyIn(path: string, id: string, root: Awaited<ReturnType<typeof stealRootKey>>): FileKey {
  using storageKey = root.derive('coffer/storage/v1');
  const header = readFileSync(path).subarray(0, 8192);
  return decodeHeader(header, { storageKeyOf: () => storageKey, fileId: hexToBytes(id) }).fileKey;
}

function opensFirstSegment(directory: string, id: string, key: FileKey): boolean {
  return opensSegment(join(directory, 'files', `${id}.enc`), key);
}

function opensSegment(path: string, key: FileKey): boolean {
  const file = readFileSync(path);
  const token = file.subarray(8192, 8192 + 2 ** 18 + 73);
  try {
    openSegment(key, { index: 0, final: false, token });
    return true;
  } catch {
    return false;
  }
}

/** Content that comes to a halt after its beginning, until `goOn`. */
class PausedSource {
  readonly content: Buffer;
  readonly hasBegun: Promise<void>;
  readonly goOn: () => void;
  readonly #paused: Promise<void>;
  readonly #begin: () => void;

  constructor(content: Buffer) {
    this.content = content;
    const begun = Promise.withResolvers<undefined>();
    const paused = Promise.withResolvers<undefined>();
    this.hasBegun = begun.promise.then(() => undefined);
    this.#begin = () => {
      begun.resolve(undefined);
    };
    this.#paused = paused.promise.then(() => undefined);
    this.goOn = () => {
      paused.resolve(undefined);
    };
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    yield this.content.subarray(0, 300_000);
    this.#begin();
    await this.#paused;
    yield this.content.subarray(300_000);
  }
}

test('a rotation leaves nothing in the folder that was not there', async () => {
  const made = await TestVault.create();
  await made.put('sealed', randomBytes(SEALED));
  const before = readdirSync(made.directory).sort();
  await rotate(made.vault, { ...keeping(made.vault, made.secret), reseal: true });
  await made.vault.close();
  expect(readdirSync(made.directory).sort()).toEqual(before.filter((name) => !name.endsWith('-wal')));
  expect(headerFiles(made.directory)).toHaveLength(1);
});
