import { describe, expect, it } from 'vitest';
import { KeyBytes } from '../src/key-bytes.ts';
import { backends } from './backends.ts';
import { bytes, codeOf, utf8 } from './support.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

describe.each(backends)('keys over %s', (_, crypto) => {
  const classes = [
    ['SecretKey', crypto.SecretKey],
    ['FileKey', crypto.FileKey],
    ['FernetKey', crypto.FernetKey],
  ] as const;

  describe.each(classes)('%s', (_, Key) => {
    it.each([0, 31, 33])('is not made of %s bytes', (length) => {
      expect(codeOf(() => Key.fromBytes(new Uint8Array(length)))).toBe('INVALID_KEY');
    });

    it('shows nothing of itself to JSON, to Object.keys and to console.log', async () => {
      const { inspect } = await import('node:util');
      const key = Key.fromBytes(KEY);
      expect(JSON.stringify(key)).toBe('{}');
      expect(Object.keys(key)).toEqual([]);
      expect(inspect(key, { showHidden: true, depth: 5 })).not.toMatch(/\b31\b|1f/);
    });

    it('may be disposed of twice', () => {
      const key = Key.generate();
      key[Symbol.dispose]();
      key[Symbol.dispose]();
    });
  });

  it('copies what it is made of', () => {
    const source = new Uint8Array(KEY);
    const key = crypto.SecretKey.fromBytes(source);
    source.fill(0);
    expect(key.exportBytes()).toEqual(KEY);
    key.exportBytes().fill(0);
    expect(key.exportBytes()).toEqual(KEY);
  });

  it('derives by HKDF with an empty salt and the label as info', () => {
    const key = crypto.SecretKey.fromBytes(KEY);
    const expected = crypto.hkdfSha256(KEY, new Uint8Array(0), utf8('coffer/storage/v1'), 32);
    expect(key.derive('coffer/storage/v1').exportBytes()).toEqual(expected);
    expect(key.derive('coffer/storage/v2').exportBytes()).not.toEqual(expected);
  });

  it('takes labels of 1 to 255 bytes in UTF-8', () => {
    const key = crypto.SecretKey.fromBytes(KEY);
    key.derive('é'.repeat(127));
    expect(codeOf(() => key.derive(''))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => key.derive('é'.repeat(128)))).toBe('INVALID_ARGUMENT');
  });

  it('is a Fernet key of the same bytes', () => {
    expect(crypto.SecretKey.fromBytes(KEY).toFernetKey().exportBase64Url()).toBe(
      crypto.bytesToBase64Url(KEY),
    );
  });

  it('reads and writes the text of a Fernet key', () => {
    const text = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
    expect(crypto.FernetKey.parse(text).exportBase64Url()).toBe(text);
  });

  it.each([
    ['without its padding', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4'],
    ['in the other alphabet', 'cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4='],
    ['with bits that are not used', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e5='],
    ['of 31 bytes', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4Q=='],
    ['of 33 bytes', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4A'],
    ['with white space', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=\n'],
    ['that is empty', ''],
  ])('does not read a Fernet key %s', (_, text) => {
    expect(codeOf(() => crypto.FernetKey.parse(text))).toBe('INVALID_KEY');
  });

  it('throws DISPOSED from every use after disposal', () => {
    const secret = crypto.SecretKey.generate();
    const fernet = crypto.FernetKey.generate();
    const file = crypto.FileKey.generate();
    const token = crypto.encryptFernet(fernet, utf8('text'));
    const segment = { index: 0, final: true };
    const sealed = crypto.sealSegment(file, { ...segment, plaintext: utf8('text') });
    const header = { fileId: new Uint8Array(16), keyEpoch: 1, sequence: 1n, segmentSizeLog2: 18 };
    const block = crypto.encodeHeader(secret, file, header);
    for (const key of [secret, fernet, file]) key[Symbol.dispose]();
    const fresh = { secret: crypto.SecretKey.generate(), file: crypto.FileKey.generate() };
    const uses = [
      () => secret.derive('label'),
      () => secret.exportBytes(),
      () => secret.toFernetKey(),
      () => fernet.exportBase64Url(),
      () => file.exportBytes(),
      () => crypto.encryptFernet(fernet, utf8('text')),
      () => crypto.decryptFernet(fernet, token),
      () => new crypto.MultiFernet([fernet]).decrypt(token),
      () => crypto.sealSegment(file, { ...segment, plaintext: utf8('text') }),
      () => crypto.openSegment(file, { ...segment, token: sealed }),
      () => crypto.encodeHeaderBlock(secret, fresh.file, header),
      () => crypto.encodeHeaderBlock(fresh.secret, file, header),
      () => crypto.decodeHeader(block, { storageKeyOf: () => secret, fileId: new Uint8Array(16) }),
    ];
    for (const use of uses) expect(codeOf(use)).toBe('DISPOSED');
  });
});

it('zeroes its bytes on disposal', () => {
  const key = KeyBytes.copy(KEY);
  const held = key.get();
  expect(held).toEqual(KEY);
  key[Symbol.dispose]();
  expect(held).toEqual(new Uint8Array(32));
});

it('zeroes what it takes over', () => {
  const taken = bytes('11'.repeat(32));
  KeyBytes.take(taken);
  expect(taken).toEqual(new Uint8Array(32));
});
