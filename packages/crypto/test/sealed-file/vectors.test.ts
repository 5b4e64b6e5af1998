import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backends } from '../backends.ts';
import type { Crypto } from '../backends.ts';
import { REPOSITORY, bytes, codeOf, readVectors } from '../support.ts';

interface Vector {
  readonly name: string;
  readonly fileId: string;
  readonly storageKeys: Readonly<Record<string, string>>;
  readonly header: readonly [string, string];
  readonly tokens: readonly string[];
  readonly fileSize?: number;
}

interface ValidVector extends Vector {
  readonly expected: {
    readonly place: 0 | 1;
    readonly keyEpoch: number;
    readonly sequence: string;
    readonly segmentSizeLog2: number;
    readonly fileKey: string;
    readonly plaintextSize: number;
    readonly plaintextSha256: string;
  };
}

interface LargeVectors {
  readonly fileId: string;
  readonly storageKey: string;
  readonly fileKey: string;
  readonly keyEpoch: number;
  readonly sequence: string;
  readonly segmentSizeLog2: number;
  readonly headerIv: string;
  readonly segmentIvs: readonly string[];
  readonly files: readonly { plaintextSize: number; fileSize: number; fileSha256: string }[];
}

const valid = readVectors('sealed-file/valid.json') as ValidVector[];
const invalid = readVectors('sealed-file/invalid.json') as (Vector & { error: string })[];
const large = readVectors('sealed-file/large.json') as LargeVectors;

function fileOf({ header, tokens, fileSize }: Vector): Uint8Array {
  return bytes(header.map((block) => block.padEnd(8192, '0')).join('') + tokens.join('')).subarray(
    0,
    fileSize,
  );
}

function plaintextOf(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251);
}

function readerOf(crypto: Crypto, { storageKeys, fileId }: Vector): Parameters<Crypto['decodeHeader']>[1] {
  const keys = new Map(
    Object.entries(storageKeys).map(([epoch, key]) => [
      Number(epoch),
      crypto.SecretKey.fromBytes(bytes(key)),
    ]),
  );
  return { storageKeyOf: (epoch) => keys.get(epoch), fileId: bytes(fileId) };
}

describe.each(backends)('sealed-file vectors over %s', (_, crypto) => {
  it.each(valid)('reads $name', (vector) => {
    const { expected } = vector;
    const file = fileOf(vector);
    const { header, fileKey, place } = crypto.decodeHeader(file.subarray(0, 8192), readerOf(crypto, vector));
    expect(place).toBe(expected.place);
    expect(header).toEqual({
      fileId: bytes(vector.fileId),
      keyEpoch: expected.keyEpoch,
      sequence: BigInt(expected.sequence),
      segmentSizeLog2: expected.segmentSizeLog2,
    });
    expect(fileKey.exportBytes()).toEqual(bytes(expected.fileKey));
    const plaintext = crypto.openFile(file, readerOf(crypto, vector));
    expect(plaintext).toEqual(plaintextOf(expected.plaintextSize));
    expect(crypto.sha256(plaintext)).toEqual(bytes(expected.plaintextSha256));
  });

  it.each(valid)('writes the same bytes: $name', (vector) => {
    const { expected } = vector;
    const fileKey = crypto.FileKey.fromBytes(bytes(expected.fileKey));
    const block = bytes(vector.header[expected.place].padEnd(8192, '0'));
    const storageKey = crypto.SecretKey.fromBytes(bytes(vector.storageKeys[String(expected.keyEpoch)] ?? ''));
    const fields = {
      fileId: bytes(vector.fileId),
      keyEpoch: expected.keyEpoch,
      sequence: BigInt(expected.sequence),
      segmentSizeLog2: expected.segmentSizeLog2,
    };
    const iv = block.subarray(49, 65);
    expect(crypto.encodeHeaderBlock(storageKey, fileKey, fields, { iv })).toEqual(block);

    const plaintext = plaintextOf(expected.plaintextSize);
    const segmentSize = 2 ** expected.segmentSizeLog2;
    const tokens = vector.tokens.map((token, index) =>
      crypto.sealSegment(fileKey, {
        index,
        final: index === vector.tokens.length - 1,
        plaintext: plaintext.subarray(index * segmentSize, (index + 1) * segmentSize),
        iv: bytes(token).subarray(9, 25),
      }),
    );
    expect(tokens).toEqual(vector.tokens.map(bytes));
    expect(crypto.sealedFileSize(plaintext.length, expected.segmentSizeLog2)).toBe(fileOf(vector).length);
  });

  it.each(invalid)('refuses $name: $error', (vector) => {
    expect(codeOf(() => crypto.openFile(fileOf(vector), readerOf(crypto, vector)))).toBe(vector.error);
  });

  it.each(large.files)('writes a file of $plaintextSize bytes', ({ plaintextSize, fileSize, fileSha256 }) => {
    const { fileId, keyEpoch, sequence, segmentSizeLog2, headerIv } = large;
    const fileKey = crypto.FileKey.fromBytes(bytes(large.fileKey));
    const storageKey = crypto.SecretKey.fromBytes(bytes(large.storageKey));
    const fields = { fileId: bytes(fileId), keyEpoch, sequence: BigInt(sequence), segmentSizeLog2 };
    const plaintext = plaintextOf(plaintextSize);
    const hash = crypto.createSha256();
    hash.update(crypto.encodeHeader(storageKey, fileKey, fields, { iv: bytes(headerIv) }));
    const count = crypto.segmentCount(plaintextSize);
    let size = 8192;
    for (let index = 0; index < count; index++) {
      const piece = plaintext.subarray(index * 2 ** 18, (index + 1) * 2 ** 18);
      const iv = bytes(large.segmentIvs[index] ?? '');
      const token = crypto.sealSegment(fileKey, { index, final: index === count - 1, plaintext: piece, iv });
      hash.update(token);
      size += token.length;
    }
    expect(size).toBe(fileSize);
    expect(crypto.sealedFileSize(plaintextSize)).toBe(fileSize);
    expect(hash.digest()).toEqual(bytes(fileSha256));
  });
});

it('has the example of the specification, byte for byte', () => {
  const vector = valid.find(({ name }) => name === '17 bytes');
  const text = readFileSync(join(REPOSITORY, 'docs/spec/sealed-file.md'), 'utf8');
  const example = text.slice(text.indexOf('## 13.'), text.indexOf('## 14.'));
  // Of the lines `offset  name  hex hex`, and of those that only go on with hex.
  const hex = [
    ...example.matchAll(/^ *\d* +[A-Za-z ]* {2,}([0-9a-f]{2,}(?: [0-9a-f]+)*)$|^ {20,}([0-9a-f]+)$/gm),
  ];
  const shown = hex.map(([, named, more]) => (named ?? more ?? '').replaceAll(' ', '')).join('');
  expect(shown).toContain(vector?.header[0]);
  expect(shown).toContain(vector?.tokens[0]);
});
