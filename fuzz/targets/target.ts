/** Numbers from 0 to 1, from a seed. */
export type Random = () => number;

/** One parser of bytes from outside. */
export interface Target {
  readonly name: string;
  /** The sources whose coverage guides the mutation: beginnings of paths below `packages/`. */
  readonly covers: readonly string[];
  /** Valid inputs, and invalid ones that are nearly right. */
  readonly seeds: () => readonly Uint8Array[];
  /** Longer inputs are not tried. A little more than the parser takes, so that its limit is met as well. */
  readonly maxSizeBytes: number;
  /** Words of the format. */
  readonly dictionary?: readonly string[];
  /** Makes checksums and MACs of a changed input right again, so that what is behind them is reached. */
  readonly repair?: (input: Uint8Array, random: Random) => Uint8Array;
  /** Throws for what is a bug: a failure that is not one of those the parser promises, or a promise that does not hold. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** Runs a parser that may refuse its input with these codes, and with nothing else. `undefined` when it did. */
export function refusable<T>(codes: readonly string[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    checkRefusal(codes, error);
    return undefined;
  }
}

/** What was thrown must have one of these codes, a message, and neither of them may show control characters. */
export function checkRefusal(codes: readonly string[], error: unknown): void {
  if (!(error instanceof Error)) throw new Error('something that is not an error was thrown');
  const code = 'code' in error ? String(error.code) : error.name;
  if (!codes.includes(code)) throw error;
  if (error.message === '') throw new Error(`${code} has no message`);
}

/** A promise of the parser that must hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
