import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backend as nodeBackend } from '../src/backend/node.ts';
import { backend as nobleBackend } from '../src/backend/noble.ts';
import { node, noble } from './backends.ts';
import type { Crypto } from './backends.ts';

const sized = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 300 });

/** What a call gives over one backend: its value, or the code of its error. */
function result(work: (crypto: Crypto) => unknown, crypto: Crypto): unknown {
  try {
    return work(crypto);
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

function expectSame(work: (crypto: Crypto) => unknown): void {
  expect(result(work, noble)).toEqual(result(work, node));
}

describe('both backends', () => {
  it('hash the same, in any pieces', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (pieces) => {
        expectSame((crypto) => {
          const hash = crypto.createSha256();
          for (const piece of pieces) hash.update(piece);
          return hash.digest();
        });
      }),
    );
  });

  it('derive the same by HMAC and HKDF', () => {
    fc.assert(
      fc.property(message, message, message, fc.integer({ min: 0, max: 200 }), (a, b, info, length) => {
        expectSame((crypto) => crypto.hmacSha256(a, b));
        expectSame((crypto) => crypto.hkdfSha256(a, b, info, length));
      }),
    );
  });

  it('encrypt to the same bytes, and open each other', () => {
    fc.assert(
      fc.property(sized(32), sized(16), message, fc.nat(), (key, iv, plaintext, epochSeconds) => {
        const seal = (crypto: Crypto): Uint8Array =>
          crypto.sealFernet(crypto.FernetKey.fromBytes(key), plaintext, { iv, epochSeconds });
        expectSame(seal);
        expect(noble.openFernet(noble.FernetKey.fromBytes(key), seal(node))).toEqual(plaintext);
        expect(node.openFernet(node.FernetKey.fromBytes(key), seal(noble))).toEqual(plaintext);
      }),
    );
  });

  it('judge a changed token the same', () => {
    const key = Uint8Array.from({ length: 32 }, (_, index) => index);
    const change = fc.record({
      at: fc.nat({ max: 200 }),
      bits: fc.integer({ min: 0, max: 255 }),
      cut: fc.nat({ max: 40 }),
    });
    fc.assert(
      fc.property(message, change, (plaintext, { at, bits, cut }) => {
        const token = node.sealFernet(node.FernetKey.fromBytes(key), plaintext);
        token[at % token.length] = (token[at % token.length] ?? 0) ^ bits;
        expectSame((crypto) => crypto.openFernet(crypto.FernetKey.fromBytes(key), token.subarray(cut)));
      }),
    );
  });

  it('judge the padding of any ciphertext the same', () => {
    const blocks = fc.integer({ min: 1, max: 4 }).chain((count) => sized(16 * count));
    fc.assert(
      fc.property(sized(16), sized(16), blocks, (key, iv, ciphertext) => {
        const opened = nodeBackend.decryptAes128Cbc(key, iv, ciphertext);
        expect(nobleBackend.decryptAes128Cbc(key, iv, ciphertext)).toEqual(opened);
      }),
      { numRuns: 2000 },
    );
  });

  it('make the same headers and segments, and open each other', () => {
    const header = fc.record({
      fileId: sized(16),
      keyEpoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      segmentSizeLog2: fc.integer({ min: 12, max: 24 }),
    });
    const index = fc.nat({ max: 2 ** 32 - 1 });
    const plaintext = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(
        sized(32),
        sized(32),
        sized(16),
        header,
        index,
        plaintext,
        (storage, file, iv, fields, at, plain) => {
          const encode = (crypto: Crypto): Uint8Array =>
            crypto.encodeHeader(crypto.SecretKey.fromBytes(storage), crypto.FileKey.fromBytes(file), fields, {
              iv,
            });
          const decode = (crypto: Crypto, bytes: Uint8Array): unknown => {
            const key = crypto.SecretKey.fromBytes(storage);
            const decoded = crypto.decodeHeader(bytes, { storageKeyOf: () => key, fileId: fields.fileId });
            return { ...decoded, fileKey: decoded.fileKey.exportBytes() };
          };
          const seal = (crypto: Crypto): Uint8Array =>
            crypto.sealSegment(crypto.FileKey.fromBytes(file), {
              index: at,
              final: true,
              plaintext: plain,
              iv,
            });
          const open = (crypto: Crypto, token: Uint8Array): Uint8Array =>
            crypto.openSegment(crypto.FileKey.fromBytes(file), { index: at, final: true, token });
          expectSame(encode);
          expectSame(seal);
          const expected = { header: fields, fileKey: file, place: 0, isOtherPlaceFree: true };
          expect(decode(noble, encode(node))).toEqual(expected);
          expect(decode(node, encode(noble))).toEqual(expected);
          expect(open(noble, seal(node))).toEqual(plain);
          expect(open(node, seal(noble))).toEqual(plain);
        },
      ),
    );
  });

  it('open whole files of each other, of sizes around the segment', () => {
    const size = fc.oneof(
      fc.nat({ max: 40 }),
      fc.integer({ min: 4090, max: 4102 }),
      fc.integer({ min: 8186, max: 12_300 }),
    );
    const key = Uint8Array.from({ length: 32 }, (_, index) => index);
    const header = { fileId: new Uint8Array(16), keyEpoch: 1, sequence: 1n, segmentSizeLog2: 12 };
    fc.assert(
      fc.property(
        size,
        fc.constantFrom({ writer: node, reader: noble }, { writer: noble, reader: node }),
        (length, { writer, reader }) => {
          const plaintext = Uint8Array.from({ length }, (_, index) => index % 251);
          const file = writer.sealFile(writer.SecretKey.fromBytes(key), header, plaintext);
          const storageKeyOf = () => reader.SecretKey.fromBytes(key);
          expect(reader.openFile(file, { storageKeyOf, fileId: header.fileId })).toEqual(plaintext);
        },
      ),
      { numRuns: 40 },
    );
  });
});
