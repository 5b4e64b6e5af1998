import { backend } from '#backend';
import { requireInteger } from './argument.ts';

const MAX_RANDOM_SIZE_BYTES = 2 ** 26;

/**
 * Bytes from the platform's cryptographic generator, at most 64 MiB.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function randomBytes(lengthBytes: number): Uint8Array {
  requireInteger(lengthBytes, 0, MAX_RANDOM_SIZE_BYTES, 'the number of random bytes');
  const bytes = new Uint8Array(lengthBytes);
  backend.fillRandom(bytes);
  return bytes;
}
