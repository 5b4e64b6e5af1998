import { backend } from '#backend';
import { requireBytes } from './argument.ts';
import { constantTimeEqual } from './constant-time.ts';
import { invalidToken } from './errors.ts';
import { randomBytes } from './random-bytes.ts';

/** 16 bytes each. They must be independent of each other. */
export interface KeyHalves {
  readonly signingKey: Uint8Array;
  readonly encryptionKey: Uint8Array;
}

export const IV_SIZE_BYTES = 16;
const MAC_SIZE_BYTES = 32;
export const MAX_MESSAGE_SIZE_BYTES: number = 2 ** 28;
const BLOCK_SIZE_BYTES = 16;
const HALF_SIZE_BYTES = 16;

/**
 * AES-128-CBC (NIST SP 800-38A, PKCS#7 padding), then HMAC-SHA-256: `IV 16 ‖ ciphertext ‖ MAC 32 over all before it`. The construction
 * inside Fernet, without its version and time. At most 2^28 bytes. An IV is random, and given only for test vectors.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function encryptAes128CbcHmac(
  keys: KeyHalves,
  message: Uint8Array,
  { iv = randomBytes(IV_SIZE_BYTES) }: { readonly iv?: Uint8Array } = {},
): Uint8Array {
  requireHalves(keys);
  requireBytes(message, 0, MAX_MESSAGE_SIZE_BYTES, 'the message');
  requireBytes(iv, IV_SIZE_BYTES, IV_SIZE_BYTES, 'the IV');
  const sealed = new Uint8Array(sealedSize(0, message.length));
  encryptThenMac(keys, 0, iv, message, sealed);
  return sealed;
}

/**
 * Opens what `encryptAes128CbcHmac` made.
 *
 * @throws CryptoError INVALID_TOKEN, whatever is wrong with it; INVALID_ARGUMENT for the keys
 */
export function decryptAes128CbcHmac(keys: KeyHalves, sealed: Uint8Array): Uint8Array {
  requireHalves(keys);
  verifyMac(keys, 0, sealed, MAX_MESSAGE_SIZE_BYTES);
  return decryptVerified(keys, 0, sealed);
}

/** The size of `prefix ‖ IV ‖ ciphertext ‖ MAC`. PKCS#7 adds 1 to 16 bytes. */
export function sealedSize(prefixSizeBytes: number, plainSizeBytes: number): number {
  const blocks = Math.floor(plainSizeBytes / BLOCK_SIZE_BYTES) + 1;
  return prefixSizeBytes + IV_SIZE_BYTES + blocks * BLOCK_SIZE_BYTES + MAC_SIZE_BYTES;
}

/** `signing key 16 ‖ encryption key 16`, as views. */
export function splitKey(key: Uint8Array): KeyHalves {
  return { signingKey: key.subarray(0, HALF_SIZE_BYTES), encryptionKey: key.subarray(HALF_SIZE_BYTES) };
}

/** Writes `IV ‖ ciphertext ‖ MAC` behind the prefix that `target` begins with. The MAC covers the prefix too. */
export function encryptThenMac(
  { signingKey, encryptionKey }: KeyHalves,
  prefixSizeBytes: number,
  iv: Uint8Array,
  plaintext: Uint8Array,
  target: Uint8Array,
): void {
  const macStart = target.length - MAC_SIZE_BYTES;
  const ciphertext = target.subarray(prefixSizeBytes + IV_SIZE_BYTES, macStart);
  target.set(iv, prefixSizeBytes);
  backend.encryptAes128Cbc(encryptionKey, iv, plaintext, ciphertext);
  target.set(backend.hmacSha256(signingKey, target.subarray(0, macStart)), macStart);
}

/** @throws CryptoError INVALID_TOKEN for a length that cannot be, or a MAC that is not right */
export function verifyMac(
  { signingKey }: KeyHalves,
  prefixSizeBytes: number,
  sealed: Uint8Array,
  maxPlainSizeBytes: number,
): void {
  const ciphertextSize = sealed.length - prefixSizeBytes - IV_SIZE_BYTES - MAC_SIZE_BYTES;
  const possible =
    ciphertextSize >= BLOCK_SIZE_BYTES &&
    ciphertextSize % BLOCK_SIZE_BYTES === 0 &&
    sealed.length <= sealedSize(prefixSizeBytes, maxPlainSizeBytes);
  if (!possible) throw invalidToken();
  const macStart = sealed.length - MAC_SIZE_BYTES;
  const mac = backend.hmacSha256(signingKey, sealed.subarray(0, macStart));
  if (!constantTimeEqual(mac, sealed.subarray(macStart))) throw invalidToken();
}

/** Only for what `verifyMac` let pass. @throws CryptoError INVALID_TOKEN for wrong padding */
export function decryptVerified(
  { encryptionKey }: KeyHalves,
  prefixSizeBytes: number,
  sealed: Uint8Array,
): Uint8Array {
  const ciphertextStart = prefixSizeBytes + IV_SIZE_BYTES;
  const plaintext = backend.decryptAes128Cbc(
    encryptionKey,
    sealed.subarray(prefixSizeBytes, ciphertextStart),
    sealed.subarray(ciphertextStart, sealed.length - MAC_SIZE_BYTES),
  );
  if (plaintext === undefined) throw invalidToken();
  return plaintext;
}

function requireHalves({ signingKey, encryptionKey }: KeyHalves): void {
  requireBytes(signingKey, HALF_SIZE_BYTES, HALF_SIZE_BYTES, 'the signing key');
  requireBytes(encryptionKey, HALF_SIZE_BYTES, HALF_SIZE_BYTES, 'the encryption key');
}
