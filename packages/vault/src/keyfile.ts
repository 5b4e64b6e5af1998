import { bytesToHex, hexToBytes, randomBytes, sha256 } from '@coffer/crypto';
import { createDurableFile } from './durable-file.ts';
import { VaultError, errnoToVaultError } from './errors.ts';
import { isInside } from './is-inside.ts';
import { looseModeWarning } from './loose-mode.ts';
import { readBoundedFile } from './read-bounded-file.ts';

const KEYFILE_KEY_SIZE_BYTES = 32;
const MAX_KEYFILE_SIZE_BYTES = 4096;
const CHECKSUM_SIZE_BYTES = 8;

const PREAMBLE = [
  '# Coffer keyfile. It opens every vault that has a slot for it, without a passphrase.',
  '# Keep it secret, keep it apart from the vault, and keep a copy: a lost one cannot be made again.',
];
const KEY_LINE = /^coffer-keyfile-v1:([0-9a-f]{64}):([0-9a-f]{16})$/;
const ANY_KEY_LINE = /^coffer-keyfile-v([1-9][0-9]{0,8}):/;

export interface CreateKeyfileOptions {
  /** The folder of a vault that the keyfile must not be put into. */
  readonly outside?: string;
}

export interface Keyfile {
  /** 32 bytes, which the caller zeroes. */
  readonly key: Uint8Array;
  readonly warnings: readonly string[];
}

/**
 * Makes a keyfile: 32 random bytes with a checksum, as text (docs/spec/vault-file.md), mode 0600, durable. Never overwrites.
 *
 * @throws VaultError EXISTS, INVALID_INPUT (inside `outside`), NOT_FOUND (no such folder), NO_SPACE, NOT_PERMITTED, FAILED
 */
export async function createKeyfile(path: string, options: CreateKeyfileOptions = {}): Promise<void> {
  if (options.outside !== undefined) await refuseKeyfileInside(path, options.outside);
  const key = randomBytes(KEYFILE_KEY_SIZE_BYTES);
  const bytes = encodeKeyfile(key);
  try {
    await createDurableFile(path, bytes);
  } finally {
    key.fill(0);
    bytes.fill(0);
  }
}

/**
 * Reads a keyfile that Coffer made. A mode that lets others read it is a warning.
 *
 * @throws VaultError NOT_FOUND, NOT_A_FILE, NOT_PERMITTED, INVALID_INPUT (not a keyfile), DAMAGED, TOO_NEW, FAILED
 */
export async function readKeyfile(path: string): Promise<Keyfile> {
  let file;
  try {
    file = await readBoundedFile(path, MAX_KEYFILE_SIZE_BYTES);
  } catch (error) {
    // Whatever is that large was not made by Coffer.
    if (error instanceof VaultError && error.code === 'INVALID_INPUT') throw notAKeyfile(path);
    throw errnoToVaultError(error, `cannot read the keyfile ${path}`);
  }
  try {
    const warning = looseModeWarning(path, file.mode);
    return { key: parseKeyfile(file.bytes, path), warnings: warning === undefined ? [] : [warning] };
  } finally {
    file.bytes.fill(0);
  }
}

/** The text of a keyfile. */
export function encodeKeyfile(key: Uint8Array): Uint8Array {
  const line = `coffer-keyfile-v1:${bytesToHex(key)}:${bytesToHex(checksumOf(key))}`;
  return new TextEncoder().encode(`${[...PREAMBLE, line].join('\n')}\n`);
}

/**
 * The 32 bytes of a keyfile. Lines that are empty or start with `#` are passed over; spaces around a line, a CRLF at its end and a byte
 * order mark, which editors and mail add, change nothing.
 *
 * @throws VaultError INVALID_INPUT (not a keyfile), DAMAGED, TOO_NEW
 */
export function parseKeyfile(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length > MAX_KEYFILE_SIZE_BYTES) throw notAKeyfile(path);
  // Latin-1 decodes anything; what is not ASCII matches nothing outside a comment. The first pattern is a byte order mark.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const lines = text.split('\n').map((line) => line.replace(/^[ \t]+|[ \t\r]+$/g, ''));
  const content = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const [line] = content;
  const version = line === undefined ? undefined : ANY_KEY_LINE.exec(line)?.[1];
  if (line === undefined || version === undefined) throw notAKeyfile(path);
  if (version !== '1') {
    throw new VaultError(
      'TOO_NEW',
      `${path} is a keyfile of version ${version}, which this version cannot read`,
      {
        hint: 'install a newer version of Coffer',
      },
    );
  }
  const [, keyHex, checksumHex] = KEY_LINE.exec(line) ?? [];
  if (content.length !== 1 || keyHex === undefined || checksumHex === undefined) throw damaged(path);
  const key = hexToBytes(keyHex);
  if (bytesToHex(checksumOf(key)) === checksumHex) return key;
  key.fill(0);
  throw damaged(path);
}

/** Refuses a keyfile in the folder of the vault it is for: whoever copies the folder would have both. */
export async function refuseKeyfileInside(path: string, directory: string): Promise<void> {
  if (!(await isInside(path, directory))) return;
  throw new VaultError('INVALID_INPUT', `the keyfile ${path} would be inside the folder of the vault`, {
    hint: 'keep it elsewhere, best on another device: whoever gets the folder would have the key with it',
  });
}

/** First 8 bytes of SHA-256("coffer/keyfile/v1" ‖ key): tells damage, and is no secret that helps to guess 32 random bytes. */
function checksumOf(key: Uint8Array): Uint8Array {
  const input = Buffer.concat([Buffer.from('coffer/keyfile/v1'), key]);
  try {
    return sha256(input).subarray(0, CHECKSUM_SIZE_BYTES);
  } finally {
    input.fill(0);
  }
}

function notAKeyfile(path: string): VaultError {
  return new VaultError('INVALID_INPUT', `${path} is not a keyfile of Coffer`, {
    hint: 'any other file cannot serve as one; `coffer key add --new-keyfile FILE` makes one',
  });
}

function damaged(path: string): VaultError {
  return new VaultError('DAMAGED', `the keyfile ${path} is damaged`, {
    hint: 'use the copy that you keep of it',
  });
}
