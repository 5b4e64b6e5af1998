import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BackgroundSync } from './background-sync.ts';

/** What direct I/O reads and writes whole ones of; a disk's blocks have this size or a smaller power of two. */
export const BLOCK_SIZE_BYTES = 4096;

/**
 * A file that is being made. `write` takes bytes at any place; `writeBlocks` moves large pieces past the page cache where the system can do that,
 * which takes a twentieth of the processor's time and leaves the cache to others (ADR 26).
 */
export class OutputFile implements AsyncDisposable {
  readonly handle: FileHandle;
  readonly #path: string;
  readonly #sync: BackgroundSync;
  #direct: FileHandle | undefined;

  private constructor(handle: FileHandle, path: string) {
    this.handle = handle;
    this.#path = path;
    this.#sync = new BackgroundSync(handle);
  }

  /** Throws `EEXIST` when the name is taken. */
  static async create(path: string, mode?: number): Promise<OutputFile> {
    return new OutputFile(await open(path, 'wx', mode), path);
  }

  /** Before the first `writeBlocks`: asks the system for direct I/O. Without an answer everything goes through the page cache. */
  async preferDirect(): Promise<void> {
    // Windows and macOS have no such flag; several file systems refuse it.
    const { O_DIRECT, O_WRONLY, O_NOFOLLOW } = constants;
    if (this.#direct !== undefined || typeof O_DIRECT !== 'number') return;
    const direct = await open(this.#path, O_WRONLY | O_DIRECT | O_NOFOLLOW).catch(() => undefined);
    if (direct === undefined) return;
    try {
      // In a folder of somebody else's the name may mean another file by now.
      const [own, other] = [await this.handle.stat({ bigint: true }), await direct.stat({ bigint: true })];
      if (own.ino === other.ino && own.dev === other.dev) this.#direct = direct;
    } finally {
      if (this.#direct === undefined) await direct.close();
    }
  }

  /** Through the page cache; made durable behind the writing. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    // A short write is not an error: a nearly full disk or a signal may cause one.
    for (let done = 0; done < bytes.length;) {
      done += (await this.handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
    // What is written beside direct I/O is little.
    if (this.#direct === undefined) this.#sync.note(position + bytes.length);
  }

  /**
   * The same for large pieces. Whole blocks go directly if the memory they are in lies as they do in the file: at an address that is a multiple of the block size where
   * `position` is one. What is before and behind them goes through the page cache.
   */
  async writeBlocks(bytes: Uint8Array, position: number): Promise<void> {
    const head = Math.min(
      (BLOCK_SIZE_BYTES - (position % BLOCK_SIZE_BYTES)) % BLOCK_SIZE_BYTES,
      bytes.length,
    );
    const bodyEnd = head + Math.floor((bytes.length - head) / BLOCK_SIZE_BYTES) * BLOCK_SIZE_BYTES;
    await this.write(bytes.subarray(0, head), position);
    const done = await this.#writeDirectly(bytes.subarray(head, bodyEnd), position + head);
    await this.write(bytes.subarray(head + done), position + head + done);
  }

  /** Makes everything durable. The folder is the caller's to sync. */
  async finish(): Promise<void> {
    await this.#sync.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sync.idle();
    await this.#direct?.close();
    await this.handle.close();
  }

  /** Returns how many bytes were written; the rest, which is none while all goes well, is for the page cache. */
  async #writeDirectly(blocks: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (this.#direct !== undefined && done < blocks.length) {
      try {
        done += (await this.#direct.write(blocks, done, blocks.length - done, position + done)).bytesWritten;
        // Cut short within a block.
        if (done % BLOCK_SIZE_BYTES !== 0) break;
      } catch {
        // This file system took the flag, but has other rules. Whatever else it was, the page cache or the sync will say it again.
        await this.#direct.close();
        this.#direct = undefined;
      }
    }
    return done;
  }
}
