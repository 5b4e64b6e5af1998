import type { Random } from '../seeded.ts';
import type { Effect } from './effects.ts';

/** Up to how much everything is tried, and not a choice. */
export interface Limits {
  /** Pending names, of which every subset is tried. */
  readonly names: number;
  /** Pending writes to one file, the same. */
  readonly writes: number;
  /** Combinations of what happens to names and to each file. */
  readonly combinations: number;
}

/** Enough for saving and deleting a sealed file, all of SQLite's log and of its checkpoint included; minutes. */
export const THOROUGH: Limits = { names: 10, writes: 12, combinations: 5000 };

/** For a test: seconds. Every protocol of ours is exhausted with it; SQLite's log and checkpoint are not, nor are whole backups. */
export const QUICK: Limits = { names: 8, writes: 6, combinations: 256 };

const SAMPLED_SUBSETS = 12;
/** What a disk writes at once. */
const SECTOR_SIZE_BYTES = 512;

/** One way in which some effects reach the disk and others do not: those that do, in their order. */
export type Survivors = readonly Effect[];

/** Whether every subset of these is among the ways, and not a choice of them. `writes` are those to each file. */
export function isExhaustive(
  names: readonly Effect[],
  writes: Iterable<readonly Effect[]>,
  limits: Limits,
): boolean {
  return names.length <= limits.names && [...writes].every(({ length }) => length <= limits.writes);
}

/** Every way for the names: any of them may be lost, whatever came after it. */
export function nameLosses(effects: readonly Effect[], limits: Limits): Survivors[] {
  if (effects.length <= limits.names) return subsets(effects);
  return [...prefixes(effects), ...leavingOneOut(effects)];
}

/**
 * Ways for the writes to one file: every subset of a few. Of many (a commit writes two for each page to the log), every prefix, each with its
 * last write torn, each write missing alone, and some subsets of the seed's. And a file that has grown, with zeros for what is new, as some file
 * systems leave it. `sizeBytes` is its length before.
 */
export function writeLosses(
  effects: readonly Effect[],
  sizeBytes: number,
  random: Random,
  limits: Limits,
): Survivors[] {
  const isFew = effects.length <= limits.writes;
  const ways = isFew ? subsets(effects) : [...prefixes(effects), ...leavingOneOut(effects)];
  const sampled = isFew
    ? []
    : Array.from({ length: SAMPLED_SUBSETS }, () => effects.filter(() => random() < 0.5));
  const torn = prefixes(effects).flatMap((prefix) => tornAtTheEnd(prefix));
  return [...ways, ...sampled, ...torn, ...onlyGrown(effects, sizeBytes)];
}

function subsets(effects: readonly Effect[]): Survivors[] {
  return Array.from({ length: 2 ** effects.length }, (_, bits) =>
    effects.filter((_effect, index) => (bits & (2 ** index)) !== 0),
  );
}

function prefixes(effects: readonly Effect[]): Survivors[] {
  return Array.from({ length: effects.length + 1 }, (_, length) => effects.slice(0, length));
}

function leavingOneOut(effects: readonly Effect[]): Survivors[] {
  return effects.map((out) => effects.filter((effect) => effect !== out));
}

function tornAtTheEnd(prefix: readonly Effect[]): Survivors[] {
  const last = prefix.at(-1);
  if (last?.kind !== 'bytes' || last.bytes.length < 2 * SECTOR_SIZE_BYTES) return [];
  const half = Math.floor(last.bytes.length / 2 / SECTOR_SIZE_BYTES) * SECTOR_SIZE_BYTES;
  const before = prefix.slice(0, -1);
  const [first, second] = [last.bytes.subarray(0, half), last.bytes.subarray(half)];
  return [
    [...before, { ...last, bytes: first }],
    [...before, { ...last, bytes: second, offset: last.offset + half }],
  ];
}

function onlyGrown(effects: readonly Effect[], sizeBytes: number): Survivors[] {
  const ends = effects.map((effect) => (effect.kind === 'bytes' ? effect.offset + effect.bytes.length : 0));
  const end = Math.max(0, ...ends);
  const [first] = effects;
  if (first === undefined || first.kind === 'names' || end <= sizeBytes) return [];
  return [[{ kind: 'size', file: first.file, size: end }]];
}
