import { requireBytes, requireInteger } from './argument.ts';
import { hmacSha256 } from './hmac.ts';

const HASH_SIZE_BYTES = 32;
const MAX_OUTPUT_SIZE_BYTES = 255 * HASH_SIZE_BYTES;
const MAX_INFO_SIZE_BYTES = 1024;

/** RFC 5869 §2.2: 32 bytes. An empty salt is the same as 32 zero bytes, for HMAC pads its key with zeros. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmacSha256(salt, inputKey);
}

/**
 * RFC 5869 §2.3. The key is uniform and at least 32 bytes; the output 1 to 8,160 bytes, up to 32 of them by one HMAC.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array {
  requireBytes(key, HASH_SIZE_BYTES, Number.MAX_SAFE_INTEGER, 'the key to expand');
  requireBytes(info, 0, MAX_INFO_SIZE_BYTES, 'the info of HKDF');
  requireInteger(lengthBytes, 1, MAX_OUTPUT_SIZE_BYTES, 'the length of HKDF');

  const output = new Uint8Array(lengthBytes);
  // T(n - 1) ‖ info ‖ u8 n; T(0) is empty
  const input = new Uint8Array(HASH_SIZE_BYTES + info.length + 1);
  input.set(info, HASH_SIZE_BYTES);
  for (let count = 1, filled = 0; filled < lengthBytes; count++, filled += HASH_SIZE_BYTES) {
    input[input.length - 1] = count;
    const block = hmacSha256(key, count === 1 ? input.subarray(HASH_SIZE_BYTES) : input);
    output.set(block.subarray(0, lengthBytes - filled), filled);
    input.set(block);
    block.fill(0);
  }
  input.fill(0);
  return output;
}

/**
 * RFC 5869: extract, then expand.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function hkdfSha256(
  inputKey: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const key = hkdfExtract(salt, inputKey);
  try {
    return hkdfExpand(key, info, lengthBytes);
  } finally {
    key.fill(0);
  }
}
