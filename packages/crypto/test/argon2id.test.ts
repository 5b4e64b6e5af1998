import { describe, expect, it } from 'vitest';
import { backend as nodeBackend } from '../src/backend/node.ts';
import { backend as nobleBackend } from '../src/backend/noble.ts';
import { backends, node, noble } from './backends.ts';
import { bytes, utf8 } from './support.ts';

const CHEAPEST = { memoryKiB: 19_456, passes: 2, parallelism: 1, lengthBytes: 32 };
const SALT = utf8('sixteen bytes ok');

describe.each([nodeBackend, nobleBackend])('Argon2id of the backend $name', (backend) => {
  it('computes RFC 9106 §5.3', async () => {
    const input = {
      password: bytes('01'.repeat(32)),
      salt: bytes('02'.repeat(16)),
      secret: bytes('03'.repeat(8)),
      associatedData: bytes('04'.repeat(12)),
      memoryKiB: 32,
      passes: 3,
      parallelism: 4,
      lengthBytes: 32,
    };
    const tag = '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659';
    expect(await backend.argon2id(input)).toEqual(bytes(tag));
  });
});

describe.each(backends)('Argon2id over %s', (_, crypto) => {
  const outOfBounds = [
    { memoryKiB: 19_455 },
    { memoryKiB: 1_048_577 },
    { memoryKiB: 20_000.5 },
    { passes: 1 },
    { passes: 11 },
    { parallelism: 0 },
    { parallelism: 5 },
    { lengthBytes: 15 },
    { lengthBytes: 65 },
  ];
  it.each(outOfBounds)('refuses %o before it takes any memory', async (change) => {
    const derived = crypto.argon2id(utf8('password'), SALT, { ...CHEAPEST, ...change });
    await expect(derived).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses a salt under 8 bytes and a password over 64 KiB', async () => {
    const shortSalt = crypto.argon2id(utf8('password'), SALT.subarray(0, 7), CHEAPEST);
    await expect(shortSalt).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const longPassword = crypto.argon2id(new Uint8Array(65_537), SALT, CHEAPEST);
    await expect(longPassword).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it('derives the same key from the smallest bounded parameters over both backends', async () => {
  const password = utf8('correct horse battery staple');
  const expected = await node.argon2id(password, SALT, CHEAPEST);
  expect(await noble.argon2id(password, SALT, CHEAPEST)).toEqual(expected);
  expect(expected).toHaveLength(32);
});

it('leaves the main thread free on Node', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await node.argon2id(utf8('password'), SALT, { ...CHEAPEST, memoryKiB: 65_536 });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(1);
});
