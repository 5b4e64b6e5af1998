import { SecretKey } from '@coffer/crypto';
import { StorageError } from './errors.ts';

/**
 * The key-encryption keys that wrap file keys, one for each key epoch (a rotation of the root key begins a new one).
 * Owns the keys: disposing zeroes them.
 */
export class StorageKeys implements Disposable {
  readonly currentEpoch: number;
  readonly #keys: ReadonlyMap<number, SecretKey>;

  constructor(currentEpoch: number, keys: ReadonlyMap<number, SecretKey>) {
    if (!keys.has(currentEpoch))
      throw new StorageError('INVALID', 'the storage key of the current epoch is missing');
    this.currentEpoch = currentEpoch;
    this.#keys = keys;
  }

  /** The storage key of a root key, as the only and first epoch. */
  static derive(rootKey: SecretKey): StorageKeys {
    return new StorageKeys(1, new Map([[1, rootKey.derive('coffer/storage/v1')]]));
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

  [Symbol.dispose](): void {
    for (const key of this.#keys.values()) key[Symbol.dispose]();
  }
}
