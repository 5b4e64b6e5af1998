/**
 * When to kill a process so that it is at what it shall be killed at. That is found by what came of the kills before, for a time that is right on one machine is too early
 * or too late on another, or on the same one when it is busy.
 */
export class KillMoment {
  #afterMs = 0;
  #stepMs = 8;
  #wasLater: boolean | undefined;

  /** So long after the work has begun; at first, at once. */
  get afterMs(): number {
    return this.#afterMs;
  }

  later(): void {
    this.#move(true);
  }

  earlier(): void {
    this.#move(false);
  }

  /** In smaller steps after each turn, in larger ones where it does not come to one. */
  #move(isLater: boolean): void {
    if (this.#wasLater !== undefined)
      this.#stepMs = isLater === this.#wasLater ? this.#stepMs * 1.5 : Math.max(1, this.#stepMs / 2);
    this.#wasLater = isLater;
    this.#afterMs = Math.max(0, this.#afterMs + (isLater ? this.#stepMs : -this.#stepMs));
  }
}
