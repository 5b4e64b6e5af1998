import { integerOf } from './columns.ts';
import type { Connection } from './connection.ts';

/** So few that a step ends soon after its time: 16 pages take 0.3 to 1 ms. */
const PAGES_AT_ONCE = 16;
/** A step takes 2 ms at most, about: what else the process does is not to notice. */
const STEP_MS = 1.5;
/** Between steps, so that they take a fifteenth of the time of a thread. */
const PAUSE_MS = 25;
/** For processes that end before they are ever idle: so that commands which only read go on with what one has left that deleted much. */
const CLOSING_MS = 100;
/** And for one that has deleted something. */
const CLOSING_AFTER_DELETION_MS = 1000;

/**
 * Gives the pages that deleting frees back to the file system, in small steps: when nothing else was committed for a while, and some whenever the
 * database is closed. What is not done goes on the next time. A page that is still needed is moved from the end of the file to a free place.
 */
export class FreePages {
  readonly #connection: Connection;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  count(): number {
    return integerOf(this.#connection.pragma('freelist_count'), 'freelist_count');
  }

  /** Gives up to `maxPages` back, inside a transaction; returns how many it was. The file is cut off when they are checkpointed. */
  giveBack(maxPages: number): number {
    const before = this.count();
    // `run` would stop after the first step, which frees one page.
    this.#connection.exec(`PRAGMA incremental_vacuum(${String(maxPages)})`);
    const given = before - this.count();
    // Pages are in other places then: a log that goes on from here is not one of the file as it was.
    if (given > 0) this.#connection.countThis();
    return given;
  }

  /** Begins to give all back, step by step; the timer never keeps the process alive. Does nothing when it has begun or nothing is free. */
  giveBackSlowly(): void {
    if (this.#timer !== undefined || this.count() === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#connection.isOpen || this.#connection.inTransaction) return;
      if (this.#giveBackFor(STEP_MS)) this.giveBackSlowly();
    }, PAUSE_MS).unref();
  }

  /** The last chance of a process. */
  giveBackBeforeClosing(): void {
    this.stop();
    try {
      if (this.count() === 0) return;
    } catch {
      return;
    }
    this.#giveBackFor(this.#connection.deletions > 0 ? CLOSING_AFTER_DELETION_MS : CLOSING_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** In one transaction. `false` when it is of no use to go on: what fails here (a full disk) is tried again another time. */
  #giveBackFor(ms: number): boolean {
    const endMs = performance.now() + ms;
    try {
      return this.#connection.transaction(() => {
        let given: number;
        do given = this.giveBack(PAGES_AT_ONCE);
        while (given > 0 && performance.now() < endMs);
        return given > 0;
      });
    } catch {
      return false;
    }
  }
}
