import type { FileRow } from '@coffer/database';
import { StorageError } from './errors.ts';

/** What has to happen before a sealed file may be destroyed. It never rejects: a deletion is not undone for somebody else's failure. */
export type BeforeShred = (row: FileRow) => Promise<void>;

/**
 * Where deletions pass on their way from the row to the sealed file. While a backup holds it, a sealed file that belongs to the backup's state
 * of the vault is copied before it is destroyed: its deletion waits for that, and only for that.
 */
export class ShredGate {
  #before: BeforeShred | undefined;

  /** Holds the gate until disposed of. Throws `IN_USE` while somebody else does. */
  hold(before: BeforeShred): Disposable {
    if (this.#before !== undefined) throw new StorageError('IN_USE', 'a backup is running already');
    this.#before = before;
    return {
      [Symbol.dispose]: () => {
        if (this.#before === before) this.#before = undefined;
      },
    };
  }

  async pass(row: FileRow): Promise<void> {
    await this.#before?.(row);
  }
}
