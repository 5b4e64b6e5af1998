import { SecretKey } from '@coffer/crypto';
import { StorageError } from './errors.ts';

const LABEL = 'coffer/storage/v1';

/**
 * The key-encryption keys that wrap file keys, one for each key epoch: a rotation of the root key begins a new one, and the keys of the one
 * before are needed until every header has been written anew. Owns the keys: disposing zeroes them.
 */
export class StorageKeys implements Disposable {
  #currentEpoch: number;
  readonly #keys: Map<number, SecretKey>;

  constructor(currentEpoch: number, keys: ReadonlyMap<number, SecretKey>) {
    if (!keys.has(currentEpoch))
      throw new StorageError('INVALID', 'the storage key of the current epoch is missing');
    this.#currentEpoch = currentEpoch;
    this.#keys = new Map(keys);
  }

  /** The storage key of a root key, as the only epoch: the first, when not given. */
  static derive(rootKey: SecretKey, epoch = 1): StorageKeys {
    return new StorageKeys(epoch, new Map([[epoch, rootKey.derive(LABEL)]]));
  }

  /** What new headers are wrapped under. */
  get currentEpoch(): number {
    return this.#currentEpoch;
  }

  find(epoch: number): SecretKey | undefined {
    return this.#keys.get(epoch);
  }

  get(epoch: number): SecretKey {
    const key = this.#keys.get(epoch);
    if (key === undefined)
      throw new StorageError('INVALID', `there is no storage key of epoch ${String(epoch)}`);
    return key;
  }

  /** Adds the storage key of a root key for reading, as an earlier epoch. */
  addEarlier(rootKey: SecretKey, epoch: number): void {
    if (this.#keys.has(epoch) || epoch >= this.#currentEpoch)
      throw new StorageError('INVALID', `${String(epoch)} is not an earlier epoch`);
    this.#keys.set(epoch, rootKey.derive(LABEL));
  }

  /** Begins an epoch: headers that are made from now on are wrapped under the storage key of this root key. */
  advance(rootKey: SecretKey): void {
    const epoch = this.#currentEpoch + 1;
    this.#keys.set(epoch, rootKey.derive(LABEL));
    this.#currentEpoch = epoch;
  }

  /** Zeroes all keys but the current one. */
  forgetEarlier(): void {
    for (const [epoch, key] of this.#keys) {
      if (epoch === this.#currentEpoch) continue;
      key[Symbol.dispose]();
      this.#keys.delete(epoch);
    }
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys.values()) key[Symbol.dispose]();
  }
}
