import type { KillPoint, Points } from './kill-points.ts';
import { KILL } from './matrix.ts';
import type { Case } from './matrix.ts';
import { seeded, shuffled } from './seeded.ts';
import type { Random } from './seeded.ts';

/** What a call is made to fail with. `EINTR` is no failure where the caller tries again, as libuv and SQLite mostly do. */
const ONCE = ['EIO', 'ENOSPC', 'EINTR'] as const;

/** The same for it and all later ones: a disk that stays bad, or full. */
const FROM_THEN_ON = ['EIO+', 'ENOSPC+'] as const;

/** The cases of a run of the matrix. `points` has the points of each operation; `count` is not reached when they have fewer cases. */
export function planCases(points: ReadonlyMap<string, Points>, count: number, seed: number): Case[] {
  return evenly(
    [...points].map(([operation, each]) => casesOf(operation, each, seeded(seedOf(operation, seed)))),
    count,
  );
}

/** One for each operation: a point more in what was recorded of one leaves the cases of all others as they are. */
function seedOf(operation: string, seed: number): number {
  return Buffer.from(operation).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), seed);
}

/** One kill at every point that there is. */
export function planKills(points: ReadonlyMap<string, Points>): Case[] {
  return [...points].flatMap(([operation, { kills }]) =>
    kills.map((at) => ({ operation, at, action: KILL })),
  );
}

/**
 * Every case of an operation, in an order of the seed's in which each point comes once before any comes twice. The first case of every second point
 * is a kill.
 */
function casesOf(operation: string, { kills, opens }: Points, random: Random): Case[] {
  const ofEach = [
    ...kills.map((at, index) => casesAtKill(operation, at, index % 2 === 0, random)),
    ...opens.map((at) => shuffled(faults(operation, at, ONCE), random)),
  ];
  const rounds = Math.max(0, ...ofEach.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) =>
    shuffled(
      ofEach.flatMap((cases) => cases[round] ?? []),
      random,
    ),
  ).flat();
}

/** A kill, a kill followed by one of the next opening, and faults. */
function casesAtKill(operation: string, at: KillPoint, killFirst: boolean, random: Random): Case[] {
  const kill: Case = { operation, at, action: KILL };
  const others: Case[] = [{ ...kill, thenAt: random() }];
  // What is not about a file of the vault is the acknowledgement, which has no errors of interest.
  if (!(at.call === 'write' && at.path === undefined)) {
    others.push(...faults(operation, at, ONCE));
    // Modules are opened by the same threads, and could not be loaded any more.
    if (at.call !== 'openat') others.push(...faults(operation, at, FROM_THEN_ON));
  }
  return killFirst ? [kill, ...shuffled(others, random)] : [...shuffled(others, random), kill];
}

function faults(operation: string, at: KillPoint, errors: readonly string[]): Case[] {
  return errors.map((error) => ({ operation, at, action: `error=${error}` }));
}

/** So many cases, the same number of each operation as far as it has that many. `all` are in the order in which they are wanted. */
function evenly(all: readonly (readonly Case[])[], count: number): Case[] {
  const chosen: Case[] = [];
  const longest = Math.max(0, ...all.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn++) {
    for (const cases of all) {
      const next = cases[turn];
      if (next !== undefined && chosen.length < count) chosen.push(next);
    }
  }
  return chosen;
}
