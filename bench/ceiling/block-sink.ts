import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { allocateShared } from '../../packages/storage/src/pool/aligned-memory.ts';

const BUFFER_SIZE_BYTES = 4 * 1024 * 1024;
const BLOCK_SIZE_BYTES = 4096;

/**
 * Writes one part of a file after the other as fast as the disk allows: past the page cache, in pieces of 4 MiB, one of which is written while the next one
 * is filled.
 */
export class BlockSink {
  readonly #path: string;
  readonly #buffers = [0, 1].map(() => Buffer.from(allocateShared(BUFFER_SIZE_BYTES)));
  #handle: FileHandle | undefined;
  #writing: Promise<unknown> | undefined;
  #current = 0;
  #filled = 0;
  #position: number;

  /** `begin` is a multiple of 4 KiB. */
  constructor(path: string, begin: number) {
    this.#path = path;
    this.#position = begin;
  }

  async put(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let done = 0; done < part.length;) {
        const rest = part.subarray(done, done + BUFFER_SIZE_BYTES - this.#filled);
        // As @coffer/crypto copies: V8 is slow at copying into shared memory.
        this.#buffer.fill(rest, this.#filled, this.#filled + rest.length);
        this.#filled += rest.length;
        done += rest.length;
        if (this.#filled === BUFFER_SIZE_BYTES) await this.#flush();
      }
    }
  }

  /** What does not fill a block goes through the page cache. */
  async end(): Promise<void> {
    const whole = Math.floor(this.#filled / BLOCK_SIZE_BYTES) * BLOCK_SIZE_BYTES;
    const rest = Uint8Array.from(this.#buffer.subarray(whole, this.#filled));
    this.#filled = whole;
    await this.#flush();
    await this.#writing;
    await this.#handle?.close();
    const fd = openSync(this.#path, 'r+');
    writeSync(fd, rest, 0, rest.length, this.#position);
    closeSync(fd);
  }

  get #buffer(): Buffer {
    const buffer = this.#buffers[this.#current];
    if (buffer === undefined) throw new Error('there are two buffers');
    return buffer;
  }

  async #flush(): Promise<void> {
    // Where the system has no such flag (undefined, which counts as 0), through the page cache.
    this.#handle ??= await open(this.#path, constants.O_WRONLY | constants.O_DIRECT);
    await this.#writing;
    const [handle, bytes, position] = [this.#handle, this.#buffer.subarray(0, this.#filled), this.#position];
    this.#writing = handle.write(bytes, 0, bytes.length, position);
    this.#position += bytes.length;
    this.#current = 1 - this.#current;
    this.#filled = 0;
    // The loop that calls this never waits otherwise; what has been written is to be noticed.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
