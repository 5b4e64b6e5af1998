import type { CofferDatabase } from '@coffer/database';
import { unlessFull } from '../rollback/instance.ts';

const SETTING = 'slots/acknowledged';

/**
 * The generation of vault.json that the database has last seen durable in both copies: of a change that somebody was told is done. One whose first copy alone is there was
 * interrupted only if it is newer than this.
 */
export class AcknowledgedGeneration {
  readonly #database: CofferDatabase;

  constructor(database: CofferDatabase) {
    this.#database = database;
  }

  /** 0 in a database that never saw one. */
  get value(): number {
    return Number(this.#database.settings.get(SETTING) ?? 0);
  }

  /** On a full disk the next opening does it. */
  set(generation: number): void {
    if (generation === this.value) return;
    unlessFull(() => {
      this.#database.settings.set(SETTING, String(generation));
    });
  }

  raise(generation: number): void {
    if (generation > this.value) this.set(generation);
  }
}
