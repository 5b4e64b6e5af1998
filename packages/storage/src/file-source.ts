import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from './errno.ts';
import { StorageError, toStorageError } from './errors.ts';

/**
 * Where the bytes of a file come from: all of them at once, any async iterable of pieces (a Node stream and a web
 * `ReadableStream` are such), or the path of a regular file. A path that is a link is refused; resolve it first.
 */
export type FileSource =
  Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> | { readonly path: string };

/** A source made ready to be read once. `pieces` checks what it yields; a path source also checks that it did not change. */
export interface OpenSource extends AsyncDisposable {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Known for bytes and paths only. */
  readonly sizeBytes: number | undefined;
  /** Known for paths only. */
  readonly modifiedAtMs: number | undefined;
  /** For paths only: to be read by other threads, instead of `pieces`. */
  readonly file: SourceFile | undefined;
}

/** A regular file, open for reading. */
export interface SourceFile {
  readonly fd: number;
  readonly sizeBytes: number;
  /** After reading: throws `SOURCE_CHANGED` when the file is not what it was. */
  checkUnchanged(): Promise<void>;
}

/** As large as a segment: fewer calls cost less than the copy a larger buffer would save. */
const READ_SIZE_BYTES = 256 * 1024;

const NOTHING_KNOWN = {
  sizeBytes: undefined,
  modifiedAtMs: undefined,
  file: undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

export async function openSource(source: FileSource): Promise<OpenSource> {
  if (source instanceof Uint8Array) {
    return { ...NOTHING_KNOWN, pieces: onePiece(source), sizeBytes: source.length };
  }
  if (Symbol.asyncIterator in source) {
    return { ...NOTHING_KNOWN, pieces: checkedPieces(source) };
  }
  if ('path' in source && typeof source.path === 'string') return openPath(source.path);
  throw new StorageError(
    'INVALID',
    'cannot read the source: give bytes, an async iterable, a stream or { path }',
  );
}

async function openPath(path: string): Promise<OpenSource> {
  const handle = await openRegular(path);
  const before = await handle.stat({ bigint: true }).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (!before.isFile()) {
    await handle.close();
    throw notAFile(path);
  }

  const sizeBytes = Number(before.size);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let offset = 0;
    // At least one read: what /proc calls an empty file is not.
    do {
      // A byte more than there should be, to notice a file that has grown; and no more than that, for most files are small.
      const buffer = new Uint8Array(Math.min(READ_SIZE_BYTES, sizeBytes - offset + 1));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset).catch((error: unknown) => {
        throw unreadable(path, error);
      });
      offset += bytesRead;
      if (offset > sizeBytes || (bytesRead === 0 && offset < sizeBytes)) throw changed(path);
      yield buffer.subarray(0, bytesRead);
    } while (offset < sizeBytes);
    await checkUnchanged();
  }
  async function checkUnchanged(): Promise<void> {
    if (hasChanged(before, await handle.stat({ bigint: true }))) throw changed(path);
  }
  return {
    pieces: pieces(),
    sizeBytes,
    file: { fd: handle.fd, sizeBytes, checkUnchanged },
    modifiedAtMs: Math.floor(Number(before.mtimeMs)),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function openRegular(path: string): Promise<FileHandle> {
  try {
    // Not through a link, and without waiting for somebody to open the other end of a FIFO. Windows has neither flag
    // (undefined, which counts as 0) nor such files.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // A socket can't be opened at all (ENXIO), a link not with O_NOFOLLOW (ELOOP, and EMLINK on FreeBSD).
    if (['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR'].includes(errnoOf(error) ?? '')) throw notAFile(path, error);
    throw unreadable(path, error);
  }
}

function hasChanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.size !== after.size || before.mtimeNs !== after.mtimeNs;
}

function changed(path: string): StorageError {
  return new StorageError(
    'SOURCE_CHANGED',
    `${path} changed while it was read; nothing was stored, try again`,
  );
}

/** Said of the source, so that nobody looks for the reason in the vault. */
function unreadable(path: string, error: unknown): StorageError {
  return toStorageError(error, `cannot read ${path}`);
}

function notAFile(path: string, cause?: unknown): StorageError {
  return new StorageError('NOT_A_FILE', `${path} is not a regular file`, { cause });
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function* checkedPieces(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    if (!(piece instanceof Uint8Array)) {
      throw new StorageError(
        'INVALID',
        'cannot read the source: it must yield Uint8Array pieces, not text or objects',
      );
    }
    yield piece;
  }
}
