import { bytesToHex, randomBytes } from '@coffer/crypto';
import { DatabaseError } from '@coffer/database';
import type { CofferDatabase, SettingTable } from '@coffer/database';

const INSTANCE = 'rollback/instance';
const KEPT = 'rollback/kept';
const UNVERIFIED_FROM = 'rollback/unverified-from';

/** What the database itself says about which copy of the vault it is. It is authentic, and as old as the database. */
export class Instance {
  readonly #database: CofferDatabase;

  constructor(database: CofferDatabase) {
    this.#database = database;
  }

  /** 32 hex digits; `undefined` in a database that never got one. */
  get id(): string | undefined {
    return this.#database.settings.get(INSTANCE);
  }

  /** Whether some keychain remembers this instance. */
  get isKept(): boolean {
    return this.#database.settings.get(KEPT) !== undefined;
  }

  set isKept(isKept: boolean) {
    if (isKept === this.isKept) return;
    if (isKept) this.#database.settings.set(KEPT, '1');
    else this.#database.settings.remove(KEPT);
  }

  /** The commits there were when changes began that no keychain was held against. */
  get unverifiedFrom(): number | undefined {
    const text = this.#database.settings.get(UNVERIFIED_FROM);
    return text === undefined ? undefined : Number(text);
  }

  markUnverified(): void {
    if (this.unverifiedFrom === undefined)
      this.#database.settings.set(UNVERIFIED_FROM, String(this.#database.commitCount));
  }

  markVerified(): void {
    if (this.unverifiedFrom !== undefined) this.#database.settings.remove(UNVERIFIED_FROM);
  }

  /** A keychain remembers this instance and agrees with it. */
  markKept(): void {
    this.isKept = true;
    this.markVerified();
  }

  /** Makes this a copy of its own, which no keychain remembers yet. */
  renew(): string {
    const id = bytesToHex(randomBytes(16));
    const { settings } = this.#database;
    this.#database.transaction(() => {
      settings.set(INSTANCE, id);
      settings.remove(KEPT);
      settings.remove(UNVERIFIED_FROM);
    });
    return id;
  }
}

/** For what can as well be written the next time: a full disk must not keep a vault from being opened or closed. */
export function unlessFull<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'NO_SPACE') return undefined;
    throw error;
  }
}

/** Gives a database that was restored an instance of its own: that it is older than another copy is no surprise then. */
export function renewInstance(database: CofferDatabase): void {
  new Instance(database).renew();
}

/** For a database of which it is not known how far it was: no keychain can be held against it. */
export function forgetInstance(settings: SettingTable): void {
  for (const setting of [INSTANCE, KEPT, UNVERIFIED_FROM]) settings.remove(setting);
}
