/**
 * How fast segments are sealed and opened, beside the same ciphers by themselves: `pnpm --filter @coffer/crypto bench`. Runs are interleaved
 * and medians are shown, so that their ratios hold even where absolute figures move.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import process from 'node:process';
import { backend as noble } from '../src/backend/noble.ts';
import { FileKey, openSegment, sealSegment, sealSegmentInto, sealedSegmentSize } from '../src/index.ts';

const SIZE_BYTES = 2 ** 18;
const ROUNDS = 15;
const ROUND_BYTES = 2 ** 25;

const place = { index: 0, final: false };
const plaintext = new Uint8Array(randomBytes(SIZE_BYTES));
const fileKey = FileKey.generate();
const token = sealSegment(fileKey, { ...place, plaintext });
const target = new Uint8Array(sealedSegmentSize(SIZE_BYTES));
const key = createSecretKey(randomBytes(16));
const iv = randomBytes(16);
const ciphertext = token.subarray(25, -32);

const cases: Record<string, () => unknown> = {
  'OpenSSL AES-128-CBC encrypt': () => {
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    return [cipher.update(plaintext), cipher.final()];
  },
  'OpenSSL HMAC-SHA-256': () => createHmac('sha256', key).update(ciphertext).digest(),
  'OpenSSL both, in turn': () => {
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    const body = cipher.update(plaintext);
    return createHmac('sha256', key).update(body).update(cipher.final()).digest();
  },
  'OpenSSL AES-128-CBC decrypt': () => {
    const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
    return [decipher.update(ciphertext), decipher.final()];
  },
  sealSegment: () => sealSegment(fileKey, { ...place, plaintext }),
  sealSegmentInto: () => sealSegmentInto(fileKey, { ...place, plaintext }, target),
  openSegment: () => openSegment(fileKey, { ...place, token }),
  'noble AES-128-CBC encrypt': () => {
    noble.encryptAes128Cbc(iv, iv, plaintext, target.subarray(0, SIZE_BYTES + 16));
  },
  'noble HMAC-SHA-256': () => noble.hmacSha256(iv, ciphertext),
};

const nanosecondsPerByte = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, work] of Object.entries(cases)) {
    const times = (name.startsWith('noble') ? 2 ** 22 : ROUND_BYTES) / SIZE_BYTES;
    const start = process.hrtime.bigint();
    for (let time = 0; time < times; time++) work();
    const elapsed = Number(process.hrtime.bigint() - start);
    nanosecondsPerByte.get(name)?.push(elapsed / times / SIZE_BYTES);
  }
}

const median = (name: string): number => {
  const values = (nanosecondsPerByte.get(name) ?? []).sort((a, b) => a - b);
  return values[values.length >> 1] ?? Number.NaN;
};
const { node, openssl } = process.versions;
console.log(`Node ${node}, OpenSSL ${openssl}, ${String(cpus().length)} x ${cpus()[0]?.model ?? 'unknown'}`);
for (const name of Object.keys(cases))
  console.log(`${name.padEnd(28)} ${(1000 / median(name)).toFixed(0).padStart(6)} MB/s`);
const ratio = median('OpenSSL both, in turn') / median('sealSegmentInto');
console.log(`sealSegmentInto is ${ratio.toFixed(2)} of OpenSSL's two passes on one core`);
