import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Machine } from './machine.ts';

/** The figures of one contestant. */
export interface Row {
  readonly name: string;
  /** `limit` is what the machine allows: a ceiling, a plain copy, an empty program. */
  readonly kind: 'coffer' | 'peer' | 'limit';
  readonly about: string;
  /** Rows of one group make one table. */
  readonly group?: string;
  /** Each with its unit in its name; `medianMs` of `samplesMs`. */
  readonly figures: Readonly<Record<string, number>>;
  readonly samplesMs?: readonly number[];
}

/** One figure held against a budget. */
export interface Verdict {
  /** A key of the table of budgets. */
  readonly budget: string;
  readonly what: string;
  readonly value: number;
  readonly unit: '×' | 'ms' | 'MB';
  readonly limit: number;
  readonly atLeast: boolean;
}

/** What a benchmark finds out. */
export interface Findings {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** Peers that were not there, with why. */
  readonly skipped: readonly string[];
  readonly disturbances: readonly string[];
  /** Versions of peers, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What is kept of it. */
export interface Report extends Findings {
  readonly name: string;
  readonly command: string;
  readonly takenAt: string;
  /** Of the processors, over the whole benchmark, by other programs and the system's own threads. */
  readonly othersShare: number;
  readonly machine: Machine;
}

export const RESULTS_FOLDER: string = join(import.meta.dirname, '..', 'results');

export async function writeReport(report: Report, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.name}.json`);
  writeFileSync(path, await formatted(JSON.stringify(report), path));
  return path;
}

/** `undefined` when the benchmark has not been run. */
export function findReport(name: string, folder: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Report;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As `format:check` wants it. */
export async function formatted(text: string, path: string): Promise<string> {
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

export function isMet({ value, limit, atLeast }: Verdict): boolean {
  return atLeast ? value >= limit : value < limit;
}

/** `ratio(rows, 'coffer add', 'age')`: how many times as fast the first is; `undefined` when one of them is missing. */
export function findRatio(rows: readonly Row[], name: string, other: string): number | undefined {
  const rate = (wanted: string): number | undefined => {
    const figures = rows.find((row) => row.name === wanted)?.figures;
    return figures?.['mbPerSecond'] ?? figures?.['perSecond'];
  };
  const [mine, theirs] = [rate(name), rate(other)];
  return mine === undefined || theirs === undefined ? undefined : mine / theirs;
}
