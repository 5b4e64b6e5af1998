import { hexToBytes } from '@coffer/crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecoveryCode, parseRecoveryCode } from '../src/recovery-code.ts';
import { recoveryCodeVectors } from './vault-file/vectors.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (code: Uint8Array): string => Buffer.from(code).toString();
const secrets = fc.uint8Array({ minLength: 20, maxLength: 20 });

/** The message that refuses a code, `undefined` for one that is accepted. */
function refusal(code: string): string | undefined {
  try {
    parseRecoveryCode(bytesOf(code));
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ name: 'VaultError', code: 'INVALID_INPUT' });
    return error instanceof Error ? error.message : '';
  }
}

describe.each(recoveryCodeVectors)('vector: $name', ({ code, secretHex }) => {
  test(secretHex === undefined ? 'it is refused' : 'it has these 160 bits', () => {
    if (secretHex === undefined) expect(refusal(code)).toBeDefined();
    else expect(parseRecoveryCode(bytesOf(code))).toEqual(hexToBytes(secretHex));
  });
});

test('the codes that Coffer writes are those of the vectors, and mean what was put in', () => {
  for (const { code, secretHex } of recoveryCodeVectors.filter(({ name }) => name.startsWith('as Coffer'))) {
    expect(textOf(createRecoveryCode(hexToBytes(secretHex ?? '')))).toBe(code);
  }
  fc.assert(
    fc.property(secrets, (secret) => {
      expect(parseRecoveryCode(createRecoveryCode(secret))).toEqual(secret);
    }),
  );
});

test('a new code is random, and 8 groups of 5', () => {
  const [first, second] = [textOf(createRecoveryCode()), textOf(createRecoveryCode())];
  expect(first).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){7}[0-9A-HJKMNP-TV-Z]{5}$/);
  expect(second).not.toBe(first);
});

test('every single wrong character is noticed, and its group is named', () => {
  fc.assert(
    fc.property(secrets, (secret) => {
      const code = textOf(createRecoveryCode(secret)).replaceAll('-', '');
      for (let at = 0; at < code.length; at += 1) {
        const right = code.charAt(at);
        for (const wrong of ALPHABET.replace(right, '')) {
          const message = refusal(code.slice(0, at) + wrong + code.slice(at + 1));
          expect(message).toBe(`group ${String(Math.floor(at / 5) + 1)} of the recovery code has a mistake`);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('any two neighbours that changed places are noticed', () => {
  fc.assert(
    fc.property(secrets, (secret) => {
      const code = textOf(createRecoveryCode(secret)).replaceAll('-', '');
      for (let at = 0; at + 1 < code.length; at += 1) {
        const [a, b] = [code.charAt(at), code.charAt(at + 1)];
        if (a !== b) expect(refusal(code.slice(0, at) + b + a + code.slice(at + 2))).toContain('group');
      }
    }),
    { numRuns: 100 },
  );
});

test('groups that changed places are noticed, and named', () => {
  const groups = textOf(createRecoveryCode(Uint8Array.from({ length: 20 }, (_, at) => at * 7))).split('-');
  for (let a = 0; a < 8; a += 1) {
    for (let b = a + 1; b < 8; b += 1) {
      const moved = groups.with(a, groups[b] ?? '').with(b, groups[a] ?? '');
      expect(refusal(moved.join('-'))).toContain(`groups ${String(a + 1)} and ${String(b + 1)}`);
    }
  }
});

test('a group that is too short or too long is named, where dashes show the groups', () => {
  const groups = textOf(createRecoveryCode()).split('-');
  const short = groups.with(2, (groups[2] ?? '').slice(1));
  expect(refusal(short.join('-'))).toContain('group 3 of the recovery code has 4 characters');
  expect(refusal(short.join(''))).toContain('39 characters instead of 40');
});

test('no message holds what was typed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 3 }), (text) => {
      const message = refusal(text);
      if (/^[0-9a-z]{3,}$/i.test(text)) expect(message).not.toContain(text);
    }),
  );
});
