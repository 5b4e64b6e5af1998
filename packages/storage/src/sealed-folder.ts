import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { SEALED_FILE } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { parseFileId } from '@coffer/database';
import { errnoOf } from './errno.ts';
import { damaged } from './errors.ts';
import type { StorageError } from './errors.ts';

/** What a name in the `files/` folder stands for. */
export interface KnownName {
  readonly kind: 'sealed' | 'temporary' | 'partial' | 'replaced';
  readonly id: FileId;
}

export type SealedName = KnownName | { readonly kind: 'unknown'; readonly name: string };

/** What replacing a file in the quarantine leaves when it is interrupted. */
export interface QuarantineLeftOver {
  readonly kind: 'temporary' | 'replaced';
  readonly id: FileId;
  /** Of the file that was to be replaced. */
  readonly path: string;
}

/** As `quarantine` names them: a second file of the same id gets a number. */
const QUARANTINED_NAME = /^([0-9a-f]{32})\.enc(?:\.[1-9]\d{0,3})?$/;

const QUARANTINE_LEFT_OVER = /^(([0-9a-f]{32})\.enc(?:\.[1-9]\d{0,3})?)\.(tmp|replaced)$/;

// Strict: a name that only resembles ours is somebody else's file, and never touched.
const NAME = /^([0-9a-f]{32})\.enc(?:\.(tmp|part|replaced))?$/;

const KIND_OF_ENDING: Readonly<Record<string, KnownName['kind']>> = {
  tmp: 'temporary',
  part: 'partial',
  replaced: 'replaced',
};

/**
 * The folder of sealed files: `{id}.enc`, `{id}.enc.tmp` while being saved, `{id}.enc.part` while being received, `{id}.enc.replaced` while another one is put in
 * its place.
 */
export class SealedFolder {
  readonly path: string;
  readonly quarantinePath: string;
  /** Where sealed files are that have another name than their own. */
  readonly #elsewhere = new Map<FileId, string>();

  /** `directory` is the vault's folder; sealed files are in `files/` in it, displaced ones in `quarantine/`. */
  constructor(directory: string) {
    this.path = join(directory, 'files');
    this.quarantinePath = join(directory, 'quarantine');
  }

  async create(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw (await exists(this.path)) ? notAFolder(this.path, error) : error;
    }
    await syncFolder(join(this.path, '..'));
  }

  sealedPath(id: FileId): string {
    return this.#elsewhere.get(id) ?? join(this.path, `${id}.enc`);
  }

  /**
   * Where nothing can be renamed: finds the sealed files that a crash left under another name, which recovery would give them back. They are read from there then.
   * Without a row it is no file that anybody asks for.
   */
  async findUnsettled(): Promise<void> {
    const names = await this.names();
    const known = names.map((name) => ({ name, parsed: this.parseName(name) }));
    const sealed = new Set(known.flatMap(({ parsed }) => (parsed.kind === 'sealed' ? [parsed.id] : [])));
    // As in recovery, a temporary file comes before one that was to be replaced by it.
    for (const kind of ['temporary', 'replaced'] as const) {
      for (const { name, parsed } of known) {
        if (parsed.kind !== kind || sealed.has(parsed.id) || this.#elsewhere.has(parsed.id)) continue;
        this.#elsewhere.set(parsed.id, join(this.path, name));
      }
    }
  }

  temporaryPath(id: FileId): string {
    return join(this.path, `${id}.enc.tmp`);
  }

  partialPath(id: FileId): string {
    return join(this.path, `${id}.enc.part`);
  }

  /** Names in the folder, in no order. A missing folder is an empty one: rows then name what is lost. */
  async names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  parseName(name: string): SealedName {
    const match = NAME.exec(name);
    if (match?.[1] === undefined) return { kind: 'unknown', name };
    return { kind: KIND_OF_ENDING[match[2] ?? ''] ?? 'sealed', id: parseFileId(match[1]) };
  }

  /** Gives a durable temporary file its final name. The caller syncs the folder. */
  async promote(id: FileId): Promise<void> {
    await rename(this.temporaryPath(id), this.sealedPath(id));
  }

  async sync(): Promise<void> {
    await syncFolder(this.path);
  }

  /** Size in bytes of the sealed file, or `undefined` when there is none or it is not a regular file. */
  async sealedSizeBytes(id: FileId): Promise<number | undefined> {
    const stats = await this.lookAt(id);
    return stats?.isFile() === true ? stats.size : undefined;
  }

  /** What is in the place of a sealed file, if there is something. */
  async lookAt(id: FileId): Promise<Stats | undefined> {
    return await findStats(this.sealedPath(id));
  }

  /** Names in the quarantine that are ours, sorted. */
  async quarantinedNames(): Promise<readonly string[]> {
    const names = await this.#namesInQuarantine();
    return names.filter((name) => QUARANTINED_NAME.test(name)).sort();
  }

  async quarantineLeftOvers(): Promise<readonly QuarantineLeftOver[]> {
    return (await this.#namesInQuarantine()).flatMap((name) => {
      const [, of, id, ending] = QUARANTINE_LEFT_OVER.exec(name) ?? [];
      if (of === undefined || id === undefined) return [];
      const kind = ending === 'tmp' ? 'temporary' : 'replaced';
      return [{ kind, id: parseFileId(id), path: join(this.quarantinePath, of) } as const];
    });
  }

  async #namesInQuarantine(): Promise<readonly string[]> {
    try {
      return await readdir(this.quarantinePath);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      if (errnoOf(error) === 'ENOTDIR') throw notAFolder(this.quarantinePath, error);
      throw error;
    }
  }

  /** The id and the path of a file in the quarantine; `undefined` for a name that is not ours. */
  parseQuarantinedName(name: string): { readonly id: FileId; readonly path: string } | undefined {
    const digits = QUARANTINED_NAME.exec(name)?.[1];
    return digits === undefined
      ? undefined
      : { id: parseFileId(digits), path: join(this.quarantinePath, name) };
  }

  /** For messages: a path in `files/` or `quarantine/` without the folder that both are in. */
  relativePath(path: string): string {
    return relative(join(this.path, '..'), path);
  }

  /**
   * Moves a sealed file that no row names out of the way, without touching its bytes. Returns its new path. When power was lost while it was moved
   * from one folder to the other it may have a name in both: then the one in `quarantine/` is what it keeps.
   */
  async quarantine(id: FileId): Promise<string> {
    await mkdir(this.quarantinePath, { recursive: true, mode: 0o700 });
    // Before anything is moved into it: a folder whose own name is lost has lost what is in it. It may be there and not be durable.
    await syncFolder(join(this.quarantinePath, '..'));
    const name = `${id}.enc`;
    const source = join(this.path, name);
    let target = join(this.quarantinePath, name);
    for (let copy = 1; await exists(target); copy++) {
      if (await isSameFile(source, target)) {
        await unlink(source);
        return target;
      }
      target = join(this.quarantinePath, `${name}.${String(copy)}`);
    }
    await rename(source, target);
    await syncFolder(this.quarantinePath);
    return target;
  }

  /** Whether a file of the quarantine has another name among ours, by which its bytes are still to be had. */
  async hasOtherName(id: FileId, path: string): Promise<boolean> {
    const own = (await this.quarantinedNames()).filter((name) => name.startsWith(id));
    const paths = [this.sealedPath(id), ...own.map((name) => join(this.quarantinePath, name))];
    for (const other of paths) {
      if (other !== path && (await isSameFile(path, other))) return true;
    }
    return false;
  }
}

/**
 * Destroys a sealed, partial or temporary file: overwrites both header places with zeros (the only copies of the file's
 * key), syncs, unlinks. The caller syncs the folder. Does nothing when the file is gone already.
 */
export async function shredFile(path: string): Promise<void> {
  await shred(path, SEALED_FILE.HEADER_SIZE_BYTES);
}

/** The same for a file that has keys anywhere in it. */
export async function shredWhole(path: string): Promise<void> {
  await shred(path, Number.POSITIVE_INFINITY);
}

const ZEROS: Uint8Array = new Uint8Array(64 * 1024);

async function shred(path: string, maxSizeBytes: number): Promise<void> {
  let stat;
  try {
    stat = await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  // Only what we make is overwritten: not what a link points to, and a FIFO would keep us waiting for its other end.
  if (stat.isFile()) await overwrite(path, maxSizeBytes);
  await unlink(path);
}

async function overwrite(path: string, maxSizeBytes: number): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    const end = Math.min(size, maxSizeBytes);
    for (let done = 0; done < end;) {
      done += (await handle.write(ZEROS, 0, Math.min(ZEROS.length, end - done), done)).bytesWritten;
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder durable. Windows has no such call and journals names itself. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function notAFolder(path: string, cause: unknown): StorageError {
  return damaged('FOLDER_DAMAGED', `${path} is not a folder: it was replaced by something else`, cause);
}

/** Whether both are names of one regular file. */
async function isSameFile(path: string, other: string): Promise<boolean> {
  try {
    // On Windows these numbers have 64 bits.
    const a = await lstat(path, { bigint: true });
    const b = await lstat(other, { bigint: true });
    return a.isFile() && a.ino === b.ino && a.dev === b.dev;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await findStats(path)) !== undefined;
}

/** Of what has this name, a link too; `undefined` when nothing has. */
export async function findStats(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
