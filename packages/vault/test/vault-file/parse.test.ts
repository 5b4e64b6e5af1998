import { SecretKey, sha256 } from '@coffer/crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VaultError } from '../../src/errors.ts';
import type { Slot } from '../../src/slots/slot.ts';
import type { VaultFileContent } from '../../src/vault-file/content.ts';
import { encodeVaultFile, memberLine } from '../../src/vault-file/encode.ts';
import { parseVaultFile } from '../../src/vault-file/parse.ts';
import { vaultFileVectors } from './vectors.ts';

const rootKey = SecretKey.fromBytes(new Uint8Array(32).fill(7));

/** DAMAGED or TOO_NEW, with a message that has nothing of the file in it but our own names. */
function expectRefusedOrRead(bytes: Uint8Array): void {
  try {
    parseVaultFile(bytes, 'vault.json');
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    expect(['DAMAGED', 'TOO_NEW']).toContain(error.code);
    expect(error.message).toMatch(/^[\x20-\x7e]{1,200}$/);
  }
}

/** Gives text the ends that get it past the first checks, as anyone can. */
function withEnds(body: string): Uint8Array {
  const signed = Buffer.concat([Buffer.from(body), memberLine('mac', new Uint8Array(32))]);
  return new Uint8Array(
    Buffer.concat([signed, memberLine('checksum', sha256(signed)), Buffer.from('\n}\n')]),
  );
}

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${String(length)}}$`));
const label = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter(
    (text) =>
      Array.from(text).length <= 64 &&
      !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(text),
  );
const slot: fc.Arbitrary<Slot> = fc
  .record({
    id: hex(8),
    createdAtMs: fc.nat(8.64e15),
    label: fc.option(label, { nil: undefined }),
    salt: hex(32),
    cost: fc.option(
      fc.record({
        memoryKiB: fc.integer({ min: 19_456, max: 1_048_576 }),
        passes: fc.integer({ min: 2, max: 10 }),
        parallelism: fc.integer({ min: 1, max: 4 }),
      }),
      { nil: undefined },
    ),
    kind: fc.constantFrom('keyfile' as const, 'keychain' as const, 'recovery' as const),
    token: fc.stringMatching(/^[A-Za-z0-9_-]{128}$/),
  })
  .map(({ id, createdAtMs, label: text, salt, cost, kind, token }) => {
    const common = {
      id,
      createdAtMs,
      ...(text === undefined ? {} : { label: text }),
      wrappedKey: `gAAAAAAAAAAA${token}`,
    };
    return cost === undefined
      ? { ...common, kind, hkdf: { salt } }
      : { ...common, kind: 'passphrase', argon2id: { ...cost, salt } };
  });
const content: fc.Arbitrary<VaultFileContent> = fc.record({
  format: fc.constant('coffer-vault'),
  formatVersion: fc.constant(1),
  vaultId: hex(32),
  generation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  slots: fc.uniqueArray(slot, { selector: ({ id }) => id, minLength: 1, maxLength: 16 }),
});

test('whatever can be written is read as the same', () => {
  fc.assert(
    fc.property(content, (value) => {
      expect(parseVaultFile(encodeVaultFile(value, rootKey), 'vault.json').content).toEqual(value);
    }),
    { numRuns: 100 },
  );
});

test('a file of more than 65,536 bytes is refused before anything else', () => {
  expect(() => parseVaultFile(new Uint8Array(65_537), 'vault.json')).toThrow(/too large/);
});

describe('hostile files', () => {
  const sample = Buffer.from(vaultFileVectors.valid[4]?.fileBase64 ?? '', 'base64');
  const body = sample.toString().split(',\n  "mac"')[0] ?? '';

  test('any bytes are refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), expectRefusedOrRead), { numRuns: 300 });
  });

  test('any JSON with a right checksum is refused or read, and never anything else', () => {
    const json = fc
      .json({ maxDepth: 5, noUnicodeString: false })
      .map((text) => withEnds(text.replace(/\s*[\]}]$/, '')));
    fc.assert(fc.property(json, expectRefusedOrRead), { numRuns: 500 });
  });

  test('a real file with pieces replaced and a right checksum is refused or read', () => {
    const pieces = [
      '1',
      '-1',
      '1e999',
      '""',
      '"\\u0000"',
      'null',
      '{}',
      '[]',
      ',',
      '"__proto__": 1,',
      '\u202e',
      '}',
      '\n',
    ];
    const changed = fc
      .tuple(
        fc.nat(body.length),
        fc.nat(40),
        fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 20 })),
      )
      .map(([at, length, piece]) => withEnds(body.slice(0, at) + piece + body.slice(at + length)));
    fc.assert(fc.property(changed, expectRefusedOrRead), { numRuns: 1000 });
  });

  test('no change of a single bit goes unnoticed', () => {
    fc.assert(
      fc.property(fc.nat(sample.length - 1), fc.nat(7), (at, bit) => {
        const changed = new Uint8Array(sample);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => parseVaultFile(changed, 'vault.json')).toThrow(
          expect.objectContaining({ code: 'DAMAGED' }),
        );
      }),
      { numRuns: 500 },
    );
  });

  test.each(['[', '{"a":', '"', '\\u0041'])('65,000 bytes of %s are refused at once', (piece) => {
    const text = `{"format":"coffer-vault",${piece.repeat(65_000 / piece.length)}`;
    expectRefusedOrRead(withEnds(text));
  });

  test('a message never shows a name that someone put into the file', () => {
    const named = body.replace('"generation"', '"\\u001b[31mred": 1,\n  "generation"');
    expect(() => parseVaultFile(withEnds(named), 'vault.json')).toThrow(/its content is not valid$/);
  });
});
