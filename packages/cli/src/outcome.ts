import { exitCode, type ExitName } from './exit-codes.ts';

/**
 * Counts how the items of one command ended and says its exit code: the item's own if there was one, 3 if some of
 * several failed, or the common code if all of them failed alike.
 */
export class Outcome {
  #succeeded = 0;
  readonly #failures: ExitName[] = [];

  get succeeded(): number {
    return this.#succeeded;
  }

  get failed(): number {
    return this.#failures.length;
  }

  /** Whether one thing was asked for and failed: its error says all there is to say. */
  get isLoneFailure(): boolean {
    return this.#succeeded === 0 && this.#failures.length === 1;
  }

  succeed(): void {
    this.#succeeded += 1;
  }

  fail(exit: ExitName): void {
    this.#failures.push(exit);
  }

  get exitCode(): number {
    const [first] = this.#failures;
    if (first === undefined) return exitCode('done');
    const alike = this.#succeeded === 0 && this.#failures.every((exit) => exit === first);
    return exitCode(alike ? first : 'someFailed');
  }
}
