import type { FileHandle } from 'node:fs/promises';

/** How much is written between two syncs. */
const STEP_BYTES: number = 16 * 1024 * 1024;

/**
 * Makes a file durable while it is still being written, so that the sync at the end has little left to do. One sync at a time, in the
 * background. An error is kept for `finish`: the operating system reports a failed write to one sync only.
 */
export class BackgroundSync {
  readonly #handle: FileHandle;
  #running: Promise<void> | undefined;
  #begunBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** `writtenBytes` of the file are written, about; begins a sync when that is enough. */
  note(writtenBytes: number): void {
    if (this.#running !== undefined || writtenBytes - this.#begunBytes < STEP_BYTES) return;
    this.#begunBytes = writtenBytes;
    this.#running = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Everything is written: resolves when it is durable. */
  async finish(): Promise<void> {
    await this.idle();
    await this.#handle.sync();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when the descriptor may be closed. */
  async idle(): Promise<void> {
    await this.#running;
  }
}
