import { CryptoError, decryptFernetStream } from '@coffer/crypto';
import type { FernetKey } from '@coffer/crypto';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoToVaultError } from '../../errors.ts';
import { isInside } from '../../is-inside.ts';
import { damaged } from './source-row.ts';

const READ_SIZE_BYTES: number = 256 * 1024;

/** A token in text, found below the folder of the source and open. */
interface TokenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  /** Without the line end that may follow the token. */
  readonly sizeBytes: number;
}

/**
 * Opens the token that a `file_path` means. It may be relative to the folder of the source, or absolute on the machine that wrote it, Windows or not;
 * then, and when it isn't there, `files/` and its last part are tried. Nothing outside of the folder is ever opened, through links neither.
 * Throws `DAMAGED` when there is no such file, `NOT_PERMITTED`, `FAILED`.
 */
async function openTokenFile(root: string, filePath: string): Promise<TokenFile> {
  for (const candidate of candidatesFor(root, filePath)) {
    const real = await realpath(candidate).catch(() => undefined);
    if (real === undefined || !(await isInside(real, root))) continue;
    let handle;
    try {
      handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      throw errnoToVaultError(error, `cannot read ${candidate}`);
    }
    const stat = await handle.stat();
    if (stat.isFile()) {
      return {
        handle,
        sizeBytes: stat.size - (await lineEndSizeBytes(handle, stat.size)),
        [Symbol.asyncDispose]: () => handle.close(),
      };
    }
    await handle.close();
  }
  throw damaged(`its data is missing: ${JSON.stringify(filePath)} leads to no file in ${root}`);
}

/** The content of a token, authenticated before it is yielded. Throws `DAMAGED`, and what reading throws. Closes the file. */
export async function* readTokenFile(
  key: FernetKey,
  root: string,
  filePath: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await openTokenFile(root, filePath);
  try {
    yield* decryptFernetStream(key, () => charactersOf(file));
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code !== 'INVALID_TOKEN') throw error;
    throw damaged('its token does not open: it is damaged, or made with another Fernet key', error);
  }
}

async function* charactersOf({ handle, sizeBytes }: TokenFile): AsyncGenerator<Uint8Array, void, undefined> {
  for (let done = 0; done < sizeBytes;) {
    const buffer = new Uint8Array(Math.min(READ_SIZE_BYTES, sizeBytes - done));
    let read;
    try {
      read = (await handle.read(buffer, 0, buffer.length, done)).bytesRead;
    } catch (error) {
      throw errnoToVaultError(error, 'cannot read its token');
    }
    if (read === 0) return;
    done += read;
    yield buffer.subarray(0, read);
  }
}

function candidatesFor(root: string, filePath: string): string[] {
  if (filePath.includes('\0')) return [];
  const parts = filePath.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  const last = parts.at(-1);
  if (last === undefined || last === '..') return [];
  const isRelative = !/^(?:[\\/]|[a-z]:)/i.test(filePath);
  const itself = isRelative ? (parts.includes('..') ? [] : [join(root, ...parts)]) : [filePath];
  return [...itself, join(root, 'files', last)];
}

/** Of the line end at the end of the file: 0, 1 or 2. */
async function lineEndSizeBytes(handle: FileHandle, sizeBytes: number): Promise<number> {
  const buffer = new Uint8Array(Math.min(2, sizeBytes));
  await handle.read(buffer, 0, buffer.length, sizeBytes - buffer.length);
  if (buffer.at(-1) !== 0x0a) return 0;
  return buffer.length === 2 && buffer[0] === 0x0d ? 2 : 1;
}
