import { SecretKey, base64UrlToBytes, bytesToHex, hexToBytes, hkdfSha256, sha256 } from '@coffer/crypto';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSlot } from '../../src/slots/make-slot.ts';
import type { Slot } from '../../src/slots/slot.ts';
import { keyEpochOf } from '../../src/vault-file/content.ts';
import { encodeVaultFile } from '../../src/vault-file/encode.ts';
import { parseVaultFile } from '../../src/vault-file/parse.ts';
import { openPrevious, wrapPrevious } from '../../src/vault-file/previous.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockWith } from '../../src/vault-file/unlock.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { beginRotation } from '../../src/vault-file/rotate-slots.ts';
import { addSlot, replaceRecoverySlots } from '../../src/vault-file/change-slots.ts';
import { createRecoveryCode } from '../../src/recovery-code.ts';
import { CHEAP, TestFolder, newKeyfile, passphrase } from '../support.ts';
import { VECTORS, loadedOf, vaultFileVectors } from './vectors.ts';
import type { VectorSecret } from './vectors.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const rootBytes = hexToBytes(vaultFileVectors.rootKeyHex);

describe.each(vaultFileVectors.valid)('vector: $name', ({ fileBase64, opens }) => {
  const bytes = new Uint8Array(Buffer.from(fileBase64, 'base64'));

  test('it is read, and written again as the same bytes', () => {
    const { content } = parseVaultFile(bytes, 'vault.json');
    using rootKey = SecretKey.fromBytes(rootBytes);
    expect(content.vaultId).toBe(vaultFileVectors.vaultId);
    expect(Buffer.from(encodeVaultFile(content, rootKey)).toString()).toBe(Buffer.from(bytes).toString());
  });

  test('each of its secrets opens its slot and gives the root key', async () => {
    for (const { secret, slotId } of opens) {
      await using folder = await TestFolder.make();
      const opened = await unlockVector(bytes, secret, folder);
      using rootKey = opened.rootKey;
      expect(opened.slotId).toBe(slotId);
      expect(rootKey.exportBytes()).toEqual(rootBytes);
    }
  });

  test('we make the same slot from the same secret and randomness', async () => {
    for (const { secret, slotId } of opens) {
      await using folder = await TestFolder.make();
      const slot = parseVaultFile(bytes, 'vault.json').content.slots.find(({ id }) => id === slotId);
      if (slot === undefined) throw new Error(`the vector has no slot ${slotId}`);
      expect(await makeAgain(slot, secret, folder)).toEqual(slot);
    }
  });
});

test('the root key before is in the vectors of an unfinished rotation, and we wrap it the same', () => {
  using rootKey = SecretKey.fromBytes(rootBytes);
  const contents = vaultFileVectors.valid.map(
    ({ fileBase64 }) =>
      parseVaultFile(new Uint8Array(Buffer.from(fileBase64, 'base64')), 'vault.json').content,
  );
  const unfinished = contents.filter(({ previous }) => previous !== undefined);
  expect(unfinished.map((content) => [keyEpochOf(content), content.previous?.reseal])).toEqual([
    [2, undefined],
    [7, true],
  ]);
  for (const content of unfinished) {
    using previous = openPrevious(content, rootKey);
    if (previous === undefined) throw new Error('the vector has a root key before');
    expect(bytesToHex(previous.exportBytes())).toBe(vaultFileVectors.previousRootKeyHex);
    const token = content.previous?.wrappedKey ?? '';
    expect(wrapPrevious(previous, rootKey, base64UrlToBytes(token).slice(9, 25))).toBe(token);
  }
  expect(contents.map(keyEpochOf).filter((epoch) => epoch > 1)).toEqual([2, 4_294_967_295, 2, 7]);
});

test.each(vaultFileVectors.refusedAtReading)(
  '$name is refused when it is read: $code',
  ({ fileBase64, code }) => {
    const read = () => parseVaultFile(new Uint8Array(Buffer.from(fileBase64, 'base64')), 'vault.json');
    expect(read).toThrow(expect.objectContaining({ name: 'VaultError', code }));
  },
);

test.each(vaultFileVectors.refusedAtUnlocking)('$name does not open: $code', async (vector) => {
  await using folder = await TestFolder.make();
  const bytes = new Uint8Array(Buffer.from(vector.fileBase64, 'base64'));
  await expect(unlockVector(bytes, vector.secret, folder)).rejects.toMatchObject({
    name: 'VaultError',
    code: vector.code,
  });
});

test('the worked example of the specification is the first vector, with the values that we compute', async () => {
  const spec = await readFile(join(VECTORS, '../../docs/spec/vault-file.md'), 'utf8');
  const [vector] = vaultFileVectors.valid;
  const bytes = new Uint8Array(Buffer.from(vector?.fileBase64 ?? '', 'base64'));
  const { body, mac, content } = parseVaultFile(bytes, 'vault.json');
  const [slot] = content.slots;
  if (slot?.kind !== 'keyfile') throw new Error('the example has a keyfile slot');
  await using folder = await TestFolder.make();
  const secret = vector?.opens[0]?.secret;
  if (secret?.kind !== 'keyfile') throw new Error('the example has a keyfile');
  using loaded = await loadedOf(secret, folder);
  const keyBytes = loaded.bytesFor(slot.id) ?? new Uint8Array();
  const slotKey = hkdfSha256(keyBytes, hexToBytes(slot.hkdf.salt), utf8('coffer/slot/keyfile/v1'), 32);
  using rootKey = SecretKey.fromBytes(rootBytes);
  using macKey = rootKey.derive('coffer/slots/v1');
  const token = bytesToHex(base64UrlToBytes(slot.wrappedKey));
  const values = [slotKey, macKey.exportBytes(), sha256(body), mac].map(bytesToHex);
  values.push(vaultFileVectors.rootKeyHex, slot.hkdf.salt, token.slice(18, 50), token.slice(-64));
  for (const value of values) expect(spec).toContain(value);
  expect(spec).toContain(secret.keyfile.split('\n')[2]);
  expect(spec).toContain(`\`\`\`json\n${Buffer.from(bytes).toString()}\`\`\``);
});

const python = spawnSync('python3', ['-c', 'from cryptography.hazmat.primitives.kdf.argon2 import Argon2id']);

describe.skipIf(python.status !== 0)('with a python3 that has cryptography 46 or later', () => {
  test('the independent reader of docs/spec opens what we write', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const text = 'Zoë 的 passphrase\r\n';
    const created = await createVaultFile(folder.vault(), {
      rootKey,
      secret: passphrase(text),
      argon2id: CHEAP,
      label: 'a "label"',
    });
    const keyfile = await newKeyfile(keys, 'key');
    const { file, slot } = await addSlot(created, rootKey, keyfile);
    await writeFile(keys.join('passphrase'), text);
    const byPassphrase = runPython(folder, '--passphrase-file', keys.join('passphrase'));
    const byKeyfile = runPython(folder, '--keyfile', keys.join('key'));
    const code = createRecoveryCode();
    const recovery = await replaceRecoverySlots(file, rootKey, code);
    await writeFile(keys.join('code'), Buffer.from(code).toString().toLowerCase().replaceAll('-', ' '));
    const byCode = runPython(folder, '--recovery-code-file', keys.join('code'));
    expect(byCode.split(' ')).toEqual([recovery.slot.id, byKeyfile.split(' ')[1]]);
    expect(byPassphrase.split(' ')[0]).toBe(created.slots[0]?.id);
    expect(byKeyfile.split(' ')[0]).toBe(slot.id);
    const hash = await crypto.subtle.digest('SHA-256', new Uint8Array(rootKey.exportBytes()));
    expect(byKeyfile.split(' ')[1]).toBe(Buffer.from(hash).toString('hex'));
    expect(byPassphrase.split(' ')[1]).toBe(Buffer.from(hash).toString('hex'));

    using next = SecretKey.generate();
    const keep = [{ slotId: slot.id, secret: keyfile }];
    const drop = [created.slots[0]?.id ?? '', recovery.slot.id];
    await beginRotation(recovery.file, rootKey, { next, keep, drop, reseal: false });
    const sums = [next, rootKey].map((key) => bytesToHex(sha256(key.exportBytes())));
    expect(runPython(folder, '--keyfile', keys.join('key')).split(' ').slice(1)).toEqual(sums);
  });
});

function runPython(folder: TestFolder, option: string, secretPath: string): string {
  const script = join(VECTORS, '../../docs/spec/open-vault-file.py');
  const result = spawnSync('python3', [script, folder.vault().vaultFile, option, secretPath], {
    encoding: 'utf8',
  });
  expect(result.stderr).toBe('');
  return result.stdout.trim();
}

async function unlockVector(bytes: Uint8Array, vector: VectorSecret, folder: TestFolder) {
  await writeFile(folder.vault().vaultFile, bytes);
  using loaded = await loadedOf(vector, folder);
  return await unlockWith(await readVaultFile(folder.vault()), loaded);
}

async function makeAgain(slot: Slot, vector: VectorSecret, folder: TestFolder): Promise<Slot> {
  using rootKey = SecretKey.fromBytes(rootBytes);
  using secret = await loadedOf(vector, folder);
  const { id, createdAtMs, label } = slot;
  // The IV is after the version and the time.
  const iv = base64UrlToBytes(slot.wrappedKey).slice(9, 25);
  const salt = slot.kind === 'passphrase' ? slot.argon2id.salt : slot.hkdf.salt;
  const cost = slot.kind === 'passphrase' ? { argon2id: slot.argon2id } : {};
  const options = { createdAtMs, ...(label === undefined ? {} : { label }), ...cost };
  return await makeSlot(rootKey, secret, options, { id, salt, iv });
}
