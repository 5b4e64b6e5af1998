import { backend } from '#backend';
import { IV_SIZE_BYTES } from './aes-cbc-hmac.ts';
import { Base64UrlDecoder } from './base64url-decoder.ts';
import { constantTimeEqual } from './constant-time.ts';
import { CryptoError, invalidToken } from './errors.ts';
import { fernetKeyHalves } from './fernet-key.ts';
import type { FernetKey } from './fernet-key.ts';
import { FERNET_PREFIX_SIZE_BYTES } from './fernet.ts';
import { sha256 } from './sha256.ts';

const VERSION = 0x80;
const BLOCK_SIZE_BYTES = 16;
const MAC_SIZE_BYTES = 32;
/** `version u8 ‖ time u64 ‖ IV 16`: what stands before the ciphertext. */
const HEAD_SIZE_BYTES = FERNET_PREFIX_SIZE_BYTES + IV_SIZE_BYTES;
/** How much ciphertext is decrypted, and held, at a time. */
const CHUNK_SIZE_BYTES: number = 256 * 1024;

/**
 * The message of a token in text that is too large to hold, in pieces. Fernet has its MAC at the end, so `readToken` is called twice: the whole
 * token is authenticated before anything is decrypted, and what the second reading gives is decrypted only where it is, chunk by chunk, what was
 * authenticated. So no byte is yielded that was not, even if somebody changes the token in between. The token's time is not looked at. Memory
 * does not grow with the token but for 32 bytes in 256 KiB.
 *
 * @throws CryptoError INVALID_TOKEN, whatever is wrong with it, before the first piece or, when it has changed, instead of one; DISPOSED; and
 * what `readToken` throws
 */
export async function* decryptFernetStream(
  key: FernetKey,
  readToken: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const digests = await authenticate(key, readToken());
  yield* decrypt(key, digests, readToken());
}

/** Returns what the second reading is held against: SHA-256 of head and IV, then of each chunk of ciphertext. */
async function authenticate(key: FernetKey, token: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const mac = backend.createHmacSha256(fernetKeyHalves(key).signingKey);
  const digests: Uint8Array[] = [];
  let version: number | undefined;
  for await (const part of splitToken(decode(token))) {
    if (part.isMac) {
      if (!constantTimeEqual(mac.digest(), part.bytes) || version !== VERSION) throw invalidToken();
      return digests;
    }
    version ??= part.bytes[0];
    mac.update(part.bytes);
    digests.push(sha256(part.bytes));
  }
  throw invalidToken();
}

async function* decrypt(
  key: FernetKey,
  digests: readonly Uint8Array[],
  token: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let iv: Uint8Array | undefined;
  let index = 0;
  for await (const { bytes, isMac } of splitToken(decode(token))) {
    if (isMac) {
      // Cut off between two chunks since then.
      if (index !== digests.length) throw invalidToken();
      return;
    }
    const digest = digests[index++];
    if (digest === undefined || !constantTimeEqual(sha256(bytes), digest)) throw invalidToken();
    if (iv === undefined) {
      iv = bytes.slice(FERNET_PREFIX_SIZE_BYTES);
      continue;
    }
    // Asked for each time: a key that was disposed of in between must not decrypt as zeros.
    const plaintext = backend.decryptAes128CbcBlocks(fernetKeyHalves(key).encryptionKey, iv, bytes);
    iv = bytes.slice(-IV_SIZE_BYTES);
    yield index < digests.length ? plaintext : withoutPadding(plaintext);
  }
}

/** PKCS#7 (RFC 5652 §6.3). The MAC has been verified: what it says of the padding is no oracle. */
function withoutPadding(plaintext: Uint8Array): Uint8Array {
  const count = plaintext.at(-1) ?? 0;
  const padding = plaintext.subarray(-count);
  if (count < 1 || count > BLOCK_SIZE_BYTES || !padding.every((byte) => byte === count)) throw invalidToken();
  return plaintext.subarray(0, -count);
}

interface Part {
  readonly bytes: Uint8Array;
  /** The last part. The first is the head, between them is ciphertext: full chunks, and at last one of 1 block or more. */
  readonly isMac: boolean;
}

async function* splitToken(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
  let held: Uint8Array = new Uint8Array();
  let wanted = HEAD_SIZE_BYTES;
  for await (const piece of pieces) {
    const all = new Uint8Array(held.length + piece.length);
    all.set(held);
    all.set(piece, held.length);
    let start = 0;
    // More than the MAC has to be left, so that the last chunk is never empty.
    while (all.length - start > wanted + MAC_SIZE_BYTES) {
      yield { bytes: all.subarray(start, start + wanted), isMac: false };
      start += wanted;
      wanted = CHUNK_SIZE_BYTES;
    }
    held = all.subarray(start);
  }
  const last = held.length - MAC_SIZE_BYTES;
  if (wanted === HEAD_SIZE_BYTES || last < BLOCK_SIZE_BYTES || last % BLOCK_SIZE_BYTES !== 0)
    throw invalidToken();
  yield { bytes: held.subarray(0, last), isMac: false };
  yield { bytes: held.subarray(last), isMac: true };
}

async function* decode(token: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Base64UrlDecoder();
  try {
    for await (const characters of token) yield decoder.update(characters);
    yield decoder.finish();
  } catch (error) {
    // Whatever is wrong with a token is told in one way.
    throw error instanceof CryptoError && error.code === 'INVALID_ARGUMENT' ? invalidToken() : error;
  }
}
