import type { KeyHalves } from './aes-cbc-hmac.ts';
import {
  IV_SIZE_BYTES,
  MAX_MESSAGE_SIZE_BYTES,
  decryptVerified,
  encryptThenMac,
  sealedSize,
  verifyMac,
} from './aes-cbc-hmac.ts';
import { requireBytes, requireInteger } from './argument.ts';
import { base64UrlToBytes, bytesToBase64Url } from './base64url.ts';
import { invalidToken } from './errors.ts';
import { fernetKeyHalves } from './fernet-key.ts';
import type { FernetKey } from './fernet-key.ts';
import { randomBytes } from './random-bytes.ts';

// https://github.com/fernet/spec/blob/master/Spec.md

const VERSION = 0x80;
const MAX_CLOCK_SKEW_SECONDS = 60n;

/** `version u8 ‖ time u64`, big-endian. */
export const FERNET_PREFIX_SIZE_BYTES = 9;

export interface SealFernetOptions {
  /** 16 bytes; random, and given only for test vectors. */
  readonly iv?: Uint8Array;
  /** The token's time, readable by everyone; now when not given. */
  readonly epochSeconds?: number;
}

export interface OpenFernetOptions {
  /** The greatest age. Without it the token's time is not looked at. */
  readonly ttlSeconds?: number;
  readonly nowSeconds?: number;
}

/** A Fernet token as text. At most 2^28 bytes of message. @throws CryptoError INVALID_ARGUMENT, DISPOSED */
export function encryptFernet(key: FernetKey, message: Uint8Array): string {
  return bytesToBase64Url(sealFernet(key, message));
}

/**
 * The message of a token. With a TTL, the token may be neither older than that, nor more than 60 s from the future.
 *
 * @throws CryptoError INVALID_TOKEN, whatever is wrong with it; INVALID_ARGUMENT for options; DISPOSED
 */
export function decryptFernet(key: FernetKey, token: string, options: OpenFernetOptions = {}): Uint8Array {
  return openFernet(key, fernetTokenToBytes(token), options);
}

/**
 * A Fernet token in binary: `0x80 ‖ time u64 ‖ IV 16 ‖ AES-128-CBC/PKCS#7 ‖ HMAC-SHA-256 32`, big-endian.
 *
 * @throws CryptoError INVALID_ARGUMENT, DISPOSED
 */
export function sealFernet(
  key: FernetKey,
  message: Uint8Array,
  { iv = randomBytes(IV_SIZE_BYTES), epochSeconds = currentSeconds() }: SealFernetOptions = {},
): Uint8Array {
  requireBytes(message, 0, MAX_MESSAGE_SIZE_BYTES, 'the message');
  requireInteger(epochSeconds, 0, Number.MAX_SAFE_INTEGER, 'epochSeconds');
  return sealFernetAt(fernetKeyHalves(key), message, iv, BigInt(epochSeconds));
}

/** Opens a token in binary, as `decryptFernet` does one in text. */
export function openFernet(
  key: FernetKey,
  token: Uint8Array,
  { ttlSeconds, nowSeconds = currentSeconds() }: OpenFernetOptions = {},
): Uint8Array {
  if (ttlSeconds !== undefined) requireInteger(ttlSeconds, 0, Number.MAX_SAFE_INTEGER, 'ttlSeconds');
  requireInteger(nowSeconds, 0, Number.MAX_SAFE_INTEGER, 'nowSeconds');
  return readFernetToken(fernetKeyHalves(key), token, MAX_MESSAGE_SIZE_BYTES, (time) => {
    if (ttlSeconds === undefined) return true;
    const now = BigInt(nowSeconds);
    return time + BigInt(ttlSeconds) >= now && time <= now + MAX_CLOCK_SKEW_SECONDS;
  });
}

export function sealFernetAt(
  keys: KeyHalves,
  message: Uint8Array,
  iv: Uint8Array,
  epochSeconds: bigint,
): Uint8Array {
  const token = new Uint8Array(sealedSize(FERNET_PREFIX_SIZE_BYTES, message.length));
  writeFernetToken(keys, message, iv, epochSeconds, token);
  return token;
}

/** Fills all of `token`. @throws CryptoError INVALID_ARGUMENT for the IV */
export function writeFernetToken(
  keys: KeyHalves,
  message: Uint8Array,
  iv: Uint8Array,
  epochSeconds: bigint,
  token: Uint8Array,
): void {
  requireBytes(iv, IV_SIZE_BYTES, IV_SIZE_BYTES, 'the IV');
  token[0] = VERSION;
  viewOf(token).setBigUint64(1, epochSeconds);
  encryptThenMac(keys, FERNET_PREFIX_SIZE_BYTES, iv, message, token);
}

/** Nothing of the token is believed, and nothing decrypted, before its MAC is right. @throws CryptoError INVALID_TOKEN */
export function readFernetToken(
  keys: KeyHalves,
  token: Uint8Array,
  maxMessageSizeBytes: number,
  acceptsTime: (epochSeconds: bigint) => boolean,
): Uint8Array {
  verifyMac(keys, FERNET_PREFIX_SIZE_BYTES, token, maxMessageSizeBytes);
  if (token[0] !== VERSION || !acceptsTime(fernetTime(token))) throw invalidToken();
  return decryptVerified(keys, FERNET_PREFIX_SIZE_BYTES, token);
}

/** Only to be believed of a token that has been opened. */
export function fernetTime(token: Uint8Array): bigint {
  return viewOf(token).getBigUint64(1);
}

/** @throws CryptoError INVALID_TOKEN */
export function fernetTokenToBytes(token: string): Uint8Array {
  try {
    return base64UrlToBytes(token);
  } catch {
    throw invalidToken();
  }
}

function currentSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
