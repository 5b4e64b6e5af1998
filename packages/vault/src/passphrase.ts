import { VaultError } from './errors.ts';

const MAX_PASSPHRASE_SIZE_BYTES = 4096;
const SHORT_PASSPHRASE_CHARACTERS = 12;

// In decomposed form, a passphrase within the bound may take a few times as many bytes.
const MAX_INPUT_SIZE_BYTES = 4 * MAX_PASSPHRASE_SIZE_BYTES;

/**
 * The bytes that a key is derived from, for a passphrase as it was typed or read from a file: strict UTF-8; one byte order mark at
 * the start and one trailing newline (LF or CRLF) dropped; Unicode NFC; 1 to 4,096 bytes. The result is a copy, which the caller
 * zeroes; so is what was passed in.
 *
 * A passphrase that is not ASCII passes through JavaScript strings on its way, which can't be zeroed; an ASCII one does not.
 *
 * @throws VaultError INVALID_INPUT
 */
export function normalizePassphrase(passphrase: Uint8Array): Uint8Array {
  if (passphrase.length > MAX_INPUT_SIZE_BYTES) throw tooLong();
  const typed = withoutNewline(withoutByteOrderMark(passphrase));
  if (typed.length === 0) throw new VaultError('INVALID_INPUT', 'the passphrase is empty');
  // ASCII is the same in every normal form.
  const normal = typed.every(isAscii)
    ? new Uint8Array(typed)
    : new TextEncoder().encode(decode(typed).normalize('NFC'));
  if (normal.length > MAX_PASSPHRASE_SIZE_BYTES) {
    normal.fill(0);
    throw tooLong();
  }
  return normal;
}

/**
 * What to tell someone who chooses this passphrase: that it has less than 12 characters, as a person counts them (grapheme clusters).
 *
 * @throws VaultError INVALID_INPUT, as `normalizePassphrase` does
 */
export function passphraseWarning(passphrase: Uint8Array): string | undefined {
  const normal = normalizePassphrase(passphrase);
  try {
    return hasFewCharacters(normal)
      ? `the passphrase has less than ${String(SHORT_PASSPHRASE_CHARACTERS)} characters; a longer one is much harder to guess`
      : undefined;
  } finally {
    normal.fill(0);
  }
}

function hasFewCharacters(normal: Uint8Array): boolean {
  if (normal.every(isAscii)) return normal.length < SHORT_PASSPHRASE_CHARACTERS;
  // `und`: the count must not depend on the language of the machine.
  const characters = new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(decode(normal));
  return Array.from(characters).length < SHORT_PASSPHRASE_CHARACTERS;
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

function isAscii(byte: number): boolean {
  return byte < 0x80;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Without the cause: it is about the passphrase's bytes.
    throw new VaultError('INVALID_INPUT', 'the passphrase is not valid UTF-8');
  }
}

function tooLong(): VaultError {
  const limit = String(MAX_PASSPHRASE_SIZE_BYTES);
  return new VaultError('INVALID_INPUT', `the passphrase is longer than ${limit} bytes`, {
    hint: 'use a key file for a long secret',
  });
}
