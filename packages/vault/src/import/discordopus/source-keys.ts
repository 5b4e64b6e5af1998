import { base64UrlToBytes, hexToBytes } from '@coffer/crypto';
import { VaultError } from '../../errors.ts';

const KEY_SIZE_BYTES = 32;
const MAX_TEXT_LENGTH = 80;

/**
 * The 32 bytes of a key, from the content of a file: as they are, as 64 hexadecimal digits (also as `x'…'`, SQLCipher's form), or as the 44
 * characters of a Fernet key, each with or without a line end. The caller zeroes the result. Throws `INVALID_INPUT`.
 */
export function parseSourceKey(content: Uint8Array, what: string): Uint8Array {
  if (content.length === KEY_SIZE_BYTES) return Uint8Array.from(content);
  const text = content.length > MAX_TEXT_LENGTH ? '' : Buffer.from(content).toString('latin1');
  const [, hex, base64] = /^(?:(?:x')?([0-9a-f]{64})'?|([\w+/-]{43}=))\r?\n?$/i.exec(text) ?? [];
  try {
    if (hex !== undefined) return hexToBytes(hex.toLowerCase());
    if (base64 !== undefined) return base64UrlToBytes(base64.replaceAll('+', '-').replaceAll('/', '_'));
  } catch {
    // Said below.
  }
  throw new VaultError('INVALID_INPUT', `${what} is not a key`, {
    hint: 'it is 32 bytes, 64 hexadecimal digits, or the 44 characters of a Fernet key',
  });
}

/** A passphrase as Python's application gave it to SQLCipher: UTF-8, not normalized, without the line end of its file. Throws `INVALID_INPUT`. */
export function parseSourcePassphrase(content: Uint8Array): Uint8Array {
  let end = content.length;
  if (content[end - 1] === 0x0a) end--;
  if (end < content.length && content[end - 1] === 0x0d) end--;
  if (end === 0) throw new VaultError('INVALID_INPUT', 'the passphrase of the database is empty');
  // A Buffer's own `slice` would be the caller's memory.
  return Uint8Array.from(content.subarray(0, end));
}
