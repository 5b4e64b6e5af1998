import { VaultError } from './errors.ts';

/**
 * Work on a whole vault that must not overlap with other such work: a backup copies `vault.json`, database and headers that have to fit each
 * other, and a rotation of the root key changes all of them.
 */
export class LongWork {
  #running: string | undefined;

  /** Until the result is disposed of, nothing else begins. `what` is for messages: `a backup`. Throws `IN_USE`. */
  begin(what: string): Disposable {
    if (this.#running !== undefined) {
      throw new VaultError('IN_USE', `${this.#running} of this vault is running`, {
        hint: 'wait until it is done',
      });
    }
    this.#running = what;
    return {
      [Symbol.dispose]: () => {
        this.#running = undefined;
      },
    };
  }
}
