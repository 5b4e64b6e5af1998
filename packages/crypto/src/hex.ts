import { CryptoError } from './errors.ts';

/** Lower case. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/**
 * Upper or lower case; nothing else, and no odd digit.
 *
 * @throws CryptoError INVALID_ARGUMENT
 */
export function hexToBytes(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) {
    throw new CryptoError('INVALID_ARGUMENT', 'this is not an even number of hex digits');
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}
