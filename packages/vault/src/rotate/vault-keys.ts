import type { SecretKey } from '@coffer/crypto';
import { DatabaseError, hasPagesUnder, openDatabase } from '@coffer/database';
import type { CofferDatabase, DatabaseOptions } from '@coffer/database';
import { StorageKeys } from '@coffer/storage';
import { keyEpochOf } from '../vault-file/content.ts';
import type { VaultFileContent } from '../vault-file/content.ts';
import type { UnlockedVaultFile } from '../vault-file/unlock.ts';
import { openPrevious } from '../vault-file/previous.ts';

const DATABASE_LABEL = 'coffer/database/v1';

/**
 * The keys of an open vault: those of its root key and, while a rotation is not finished, those of the root key before it. Owns them:
 * disposing zeroes them.
 */
export class VaultKeys implements Disposable {
  #root: SecretKey;
  #previous: SecretKey | undefined;
  /** Whether the database is still under the previous root key. */
  #isDatabaseBehind = false;
  readonly storage: StorageKeys;

  private constructor(root: SecretKey, previous: SecretKey | undefined, storage: StorageKeys) {
    this.#root = root;
    this.#previous = previous;
    this.storage = storage;
  }

  /** Takes the root key over. `content` has been authenticated with it. */
  static open(root: SecretKey, content: VaultFileContent): VaultKeys {
    const epoch = keyEpochOf(content);
    const storage = StorageKeys.derive(root, epoch);
    const previous = openPrevious(content, root);
    if (previous !== undefined) storage.addEarlier(previous, epoch - 1);
    return new VaultKeys(root, previous, storage);
  }

  /** Not a copy. */
  get root(): SecretKey {
    return this.#root;
  }

  /** Whether something may still be under the previous root key. */
  get isRotating(): boolean {
    return this.#previous !== undefined;
  }

  get isDatabaseBehind(): boolean {
    return this.#isDatabaseBehind;
  }

  /**
   * Opens the database under the current root key or, during a rotation, under the previous one. Throws
   * `DatabaseError`.
   */
  openDatabase(path: string, options: Pick<DatabaseOptions, 'label' | 'keepsReserve'> = {}): CofferDatabase {
    try {
      return withDatabaseKey(this.#root, (key) => openDatabase({ ...options, path, key }));
    } catch (error) {
      const previous = this.#previous;
      if (previous === undefined || !(error instanceof DatabaseError) || error.code !== 'WRONG_KEY')
        throw error;
      const database = withDatabaseKey(previous, (key) => openDatabase({ ...options, path, key }));
      this.#isDatabaseBehind = true;
      return database;
    }
  }

  /** Whether a database that does not open has pages of this vault all the same. */
  ownsPagesOf(path: string): boolean {
    const roots = this.#previous === undefined ? [this.#root] : [this.#root, this.#previous];
    return roots.some((root) => withDatabaseKey(root, (key) => hasPagesUnder(path, key)));
  }

  /** The key that the database is under. The caller zeroes it. */
  exportDatabaseKey(): Uint8Array {
    const { root } = this.#isDatabaseBehind && this.#previous !== undefined ? { root: this.#previous } : this;
    using key = root.derive(DATABASE_LABEL);
    return key.exportBytes();
  }

  /** Does something with the key that the database is under; during a rotation that may be either. What throws `WRONG_KEY` is done with the other one. */
  async withEachDatabaseKey<T>(use: (key: Uint8Array) => Promise<T>): Promise<T> {
    try {
      return await withDatabaseKeyOf(this.#root, use);
    } catch (error) {
      const isOther = error instanceof Error && 'code' in error && error.code === 'WRONG_KEY';
      if (!isOther || this.#previous === undefined) throw error;
      return await withDatabaseKeyOf(this.#previous, use);
    }
  }

  /** Both keys of the change that brings the database to the root key `next`. */
  withDatabaseKeys<T>(next: SecretKey, use: (keys: { key: Uint8Array; newKey: Uint8Array }) => T): T {
    const key = this.exportDatabaseKey();
    try {
      return withDatabaseKey(next, (newKey) => use({ key, newKey }));
    } finally {
      key.fill(0);
    }
  }

  /** Begins a rotation: takes the next root key over, once it is durable in `vault.json`. The database is under the previous one from now on. */
  advance(next: SecretKey): void {
    this.#previous = this.#root;
    this.#root = next;
    this.#isDatabaseBehind = true;
    this.storage.advance(next);
  }

  databaseHasMoved(): void {
    this.#isDatabaseBehind = false;
  }

  /** Nothing is under the previous root key any more: it is zeroed, and all keys from it. */
  forgetPrevious(): void {
    this.storage.forgetEarlier();
    this.#previous?.[Symbol.dispose]();
    this.#previous = undefined;
  }

  [Symbol.dispose](): void {
    this.storage[Symbol.dispose]();
    this.#previous?.[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }
}

/** The keys of a vault whose `vault.json` was unlocked. They own the root key from now on, also when this throws. */
export function takeKeys({ rootKey, file }: UnlockedVaultFile): VaultKeys {
  try {
    return VaultKeys.open(rootKey, file.current.content);
  } catch (error) {
    rootKey[Symbol.dispose]();
    throw error;
  }
}

function withDatabaseKey<T>(root: SecretKey, use: (key: Uint8Array) => T): T {
  using databaseKey = root.derive(DATABASE_LABEL);
  const key = databaseKey.exportBytes();
  try {
    return use(key);
  } finally {
    key.fill(0);
  }
}

async function withDatabaseKeyOf<T>(root: SecretKey, use: (key: Uint8Array) => Promise<T>): Promise<T> {
  using databaseKey = root.derive(DATABASE_LABEL);
  const key = databaseKey.exportBytes();
  try {
    return await use(key);
  } finally {
    key.fill(0);
  }
}
