import { bytesToHex, randomBytes } from '@coffer/crypto';
import type { FileRow } from '@coffer/database';
import { open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { joinPath } from './file-entry.ts';

const CHECKSUM_LIST_NAME = 'SHA256SUMS';

/** `SHA256SUMS` of an export: appears under its name when it is finished and durable, not before. */
export class ChecksumList implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #files = 0;
  #isFinished = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Throws `EXISTS` when one of the files that will be exported has its name. */
  static async create(folder: string, rows: readonly FileRow[]): Promise<ChecksumList> {
    const path = join(folder, CHECKSUM_LIST_NAME);
    const taken = rows.find((row) => row.folder === '' && row.name.toUpperCase() === CHECKSUM_LIST_NAME);
    if (taken !== undefined) {
      throw new VaultError(
        'EXISTS',
        `the vault has a file ${joinPath(taken.folder, taken.name)} of its own`,
        {
          hint: 'export without the list of checksums, or rename that file with `coffer mv`',
        },
      );
    }
    const temporary = join(folder, `.coffer-${bytesToHex(randomBytes(8))}.tmp`);
    try {
      return new ChecksumList(path, temporary, await open(temporary, 'wx'));
    } catch (error) {
      throw errnoToVaultError(error, `cannot write ${path}`);
    }
  }

  get files(): number {
    return this.#files;
  }

  /** `path` is that of the file below the folder, as this machine writes it. */
  async add({ sha256 }: FileRow, path: string): Promise<void> {
    try {
      await this.#handle.appendFile(`${checksumLine(sha256, path.split(sep).join('/'))}\n`);
    } catch (error) {
      throw errnoToVaultError(error, `cannot write ${this.#path}`);
    }
    this.#files++;
  }

  /** Gives the list its name, in the place of an earlier one, and returns its path. */
  async finish(): Promise<string> {
    try {
      await this.#handle.sync();
      await rename(this.#temporary, this.#path);
    } catch (error) {
      throw errnoToVaultError(error, `cannot write ${this.#path}`);
    }
    this.#isFinished = true;
    return this.#path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    if (!this.#isFinished) await unlink(this.#temporary).catch(() => undefined);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/**
 * A line as GNU `sha256sum` writes and reads it: two spaces between hash and name; a backslash before the hash of a name that has
 * backslashes or line ends, which are then escaped. `./` keeps a file that is called `-` from being stdin.
 */
export function checksumLine(sha256: Uint8Array, path: string): string {
  const escaped = path.replace(/[\\\n\r]/g, (character) => ESCAPES[character] ?? character);
  return `${escaped === path ? '' : '\\'}${bytesToHex(sha256)}  ./${escaped}`;
}
