import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** Two files of at most so much are kept. */
const MAX_SIZE_BYTES = 1_048_576;

/**
 * What an agent did, for finding out why it is no longer there: times, methods and codes; never a name, a path or a secret. Text comes from this package only.
 */
export class AgentLog implements Disposable {
  readonly #path: string;
  readonly #nowMs: () => number;
  #fd: number | undefined;
  #sizeBytes = 0;

  /** The folder is closed to others; the files are 0600 as well. Without it nothing is written. */
  constructor(path: string, nowMs: () => number = Date.now) {
    this.#path = path;
    this.#nowMs = nowMs;
    this.#open();
  }

  write(text: string): void {
    if (this.#fd === undefined) return;
    const line = Buffer.from(`${new Date(this.#nowMs()).toISOString()} ${text}\n`);
    try {
      if (this.#sizeBytes + line.length > MAX_SIZE_BYTES) this.#turnOver();
      this.#sizeBytes += writeSync(this.#fd, line);
    } catch {
      // A full disk must not keep the vault from working.
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): void {
    try {
      const flags = constants.O_CREAT | constants.O_APPEND | constants.O_WRONLY | constants.O_NOFOLLOW;
      this.#fd = openSync(this.#path, flags, 0o600);
      this.#sizeBytes = fstatSync(this.#fd).size;
    } catch {
      this.#fd = undefined;
    }
  }

  #turnOver(): void {
    this[Symbol.dispose]();
    renameSync(this.#path, `${this.#path}.1`);
    this.#open();
  }
}
