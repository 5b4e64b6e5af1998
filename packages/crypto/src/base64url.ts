import { CryptoError } from './errors.ts';

// RFC 4648 §5, table 2.
const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const PAD = 0x3d;
const INVALID = 0xff;

const VALUES = new Uint8Array(256).fill(INVALID);
for (const [value, character] of ALPHABET.entries()) VALUES[character] = value;

/** RFC 4648 §5, with its padding, as Fernet has it. */
export function bytesToBase64Url(bytes: Uint8Array): string {
  const characters = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PAD);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const [a = 0, b, c] = [bytes[from], bytes[from + 1], bytes[from + 2]];
    const group = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    characters[to] = characterOf(group >> 18);
    characters[to + 1] = characterOf(group >> 12);
    if (b !== undefined) characters[to + 2] = characterOf(group >> 6);
    if (c !== undefined) characters[to + 3] = characterOf(group);
  }
  return new TextDecoder().decode(characters);
}

/**
 * Strict, so that every array has exactly one text: complete padding is required, and no other alphabet, white space, nor bits that
 * are set but unused (RFC 4648 §3.5) are accepted.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function base64UrlToBytes(text: string): Uint8Array {
  return decodeBase64Url(new TextEncoder().encode(text));
}

/** The same, of the text's characters. */
export function decodeBase64Url(characters: Uint8Array): Uint8Array {
  const { length } = characters;
  if (length % 4 !== 0) throw invalidBase64Url();
  const padding = characters[length - 1] !== PAD ? 0 : characters[length - 2] !== PAD ? 1 : 2;

  const bytes = new Uint8Array((length / 4) * 3 - padding);
  const digits = length - padding;
  // Of all values: one that is invalid sets the two highest bits, which no valid one has.
  let seen = 0;
  let group = 0;
  for (let from = 0, to = 0; from < length; from += 4, to += 3) {
    group = 0;
    for (let index = from; index < from + 4; index++) {
      const value = index < digits ? (VALUES[characters[index] ?? 0] ?? INVALID) : 0;
      seen |= value;
      group = (group << 6) | value;
    }
    bytes[to] = group >> 16;
    if (to + 1 < bytes.length) bytes[to + 1] = group >> 8;
    if (to + 2 < bytes.length) bytes[to + 2] = group;
  }
  const unusedBits = group & ((1 << (8 * padding)) - 1);
  if (seen > 0x3f || unusedBits !== 0) throw invalidBase64Url();
  return bytes;
}

function characterOf(value: number): number {
  return ALPHABET[value & 0x3f] ?? INVALID;
}

function invalidBase64Url(): CryptoError {
  return new CryptoError('INVALID_ARGUMENT', 'this is not base64url with its padding (RFC 4648 §5)');
}
