import type { FileId } from '@coffer/database';

/**
 * One thing at a time with the names and the header of a sealed file: opening it, giving it its name, writing its header anew, replacing or
 * shredding it. So a reader never finds a header between two states, and no header is written to a file that was shredded. Segments are read
 * and written outside of any turn.
 */
export class FileTurns {
  readonly #last = new Map<FileId, Promise<void>>();

  /** Runs `work` when everything that asked before for a turn with this file is done. Not to be nested for one file. */
  async take<T>(id: FileId, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const result = before === undefined ? work() : before.then(work);
    const done = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(id, done);
    try {
      return await result;
    } finally {
      if (this.#last.get(id) === done) this.#last.delete(id);
    }
  }
}
