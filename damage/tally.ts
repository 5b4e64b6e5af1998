/** What is asked of every case; all of them have to be true. */
export interface Marks {
  /** A read, an opening or `check` says that something is wrong. */
  readonly detected: boolean;
  /** It says with which file, or with which part of the vault, and names no other. */
  readonly named: boolean;
  /** It says what to do. */
  readonly advised: boolean;
  /** Every other file is read whole. */
  readonly othersIntact: boolean;
  /** No byte was given out that is not the file's. */
  readonly onlyAuthentic: boolean;
}

export interface Row {
  readonly kind: string;
  readonly cases: number;
  readonly detected: number;
  readonly named: number;
  readonly advised: number;
  readonly othersIntact: number;
  readonly onlyAuthentic: number;
  /** Cases that missed a mark, by name, a few of them. */
  readonly misses: readonly string[];
}

const MAX_MISSES = 20;

/** Counts the marks of one kind of damage. */
export class Tally {
  readonly #kind: string;
  readonly #counts = { cases: 0, detected: 0, named: 0, advised: 0, othersIntact: 0, onlyAuthentic: 0 };
  readonly #misses: string[] = [];

  constructor(kind: string) {
    this.#kind = kind;
  }

  count(name: string, marks: Marks, detail = ''): void {
    this.#counts.cases++;
    const missed: string[] = [];
    for (const mark of ['detected', 'named', 'advised', 'othersIntact', 'onlyAuthentic'] as const) {
      if (marks[mark]) this.#counts[mark]++;
      else missed.push(mark);
    }
    if (missed.length > 0 && this.#misses.length < MAX_MISSES) {
      this.#misses.push(
        `${this.#kind}: ${name}: not ${missed.join(', not ')}${detail === '' ? '' : ` (${detail})`}`,
      );
    }
  }

  row(): Row {
    return { kind: this.#kind, ...this.#counts, misses: this.#misses };
  }
}

/** The rows as a table of Markdown, with a sum. */
export function printTable(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const total: Row = {
    kind: 'all',
    cases: sum((row) => row.cases),
    detected: sum((row) => row.detected),
    named: sum((row) => row.named),
    advised: sum((row) => row.advised),
    othersIntact: sum((row) => row.othersIntact),
    onlyAuthentic: sum((row) => row.onlyAuthentic),
    misses: [],
  };
  const lines = [...rows, total].map((row) => {
    const figures = [row.detected, row.named, row.advised, row.othersIntact, row.onlyAuthentic];
    return `| ${row.kind} | ${String(row.cases)} | ${figures.map((count) => share(count, row.cases)).join(' | ')} |`;
  });
  return [
    '| damage | cases | detected | named | says what to do | other files whole | nothing unauthenticated |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function share(count: number, cases: number): string {
  return count === cases ? '100 %' : `${((100 * count) / cases).toFixed(3)} % (${String(cases - count)} not)`;
}
