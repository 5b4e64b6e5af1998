import { VaultError } from '@coffer/vault';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBody, encodeBody } from '../src/wire/body.ts';
import { ProtocolError } from '../src/wire/protocol-error.ts';

const SCALAR = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const BYTES = fc.uint8Array({ maxLength: 100 });
const VALUE = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    SCALAR,
    BYTES,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

test('what is sent comes back', async () => {
  await fc.assert(
    fc.asyncProperty(VALUE, async (value) => {
      expect(await decodeBody(encodeBody(value))).toEqual(value);
    }),
  );
});

test('an error comes back with all that a person sees of it, and its causes', async () => {
  const cause = new TypeError('deep');
  const error = new VaultError('AMBIGUOUS', 'two', { hint: 'one of them', candidates: ['a', 'b'], cause });
  const back = (await decodeBody(encodeBody({ failed: error }))) as { failed: VaultError };
  expect(back.failed).toBeInstanceOf(VaultError);
  const { code, message, hint, candidates, stack } = error;
  expect(back.failed).toMatchObject({ code, message, hint, candidates, stack });
  expect(back.failed.cause).toMatchObject({ name: 'TypeError', message: 'deep' });
});

test('bytes are not part of the text', () => {
  const body = encodeBody({ passphrase: new TextEncoder().encode('correct horse') });
  const jsonEnd = 5 + body.readUInt32BE(1);
  expect(body.toString('latin1', 0, jsonEnd)).not.toContain('correct');
  expect(body.toString('latin1', jsonEnd)).toBe('correct horse');
});

test('any bytes are a value or refused, and nothing else happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await decodeBody(Buffer.from(bytes)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ProtocolError);
      });
    }),
  );
});

test.each([
  { $bytes: [0, 5] },
  { $bytes: [-1, 1] },
  { $bytes: [1, 0.5] },
  { $bytes: 'x' },
  { $bytes: [2 ** 53, 1] },
  { $error: 1 },
  { $error: { name: 'x' } },
  { $error: { name: 'VaultError', message: 'x', code: 'a lower one' } },
])('%j is refused', async (json) => {
  const text = Buffer.from(JSON.stringify(json));
  const prefix = Buffer.from([1, 0, 0, 0, 0]);
  prefix.writeUInt32BE(text.length, 1);
  await expect(decodeBody(Buffer.concat([prefix, text, Buffer.from('abc')]))).rejects.toThrow(ProtocolError);
});
