import type { KillPoint } from './kill-points.ts';
import type { Case } from './matrix.ts';
import { seeded, shuffled } from './seeded.ts';
import type { Random } from './seeded.ts';

/** What a call is made to fail with. `EINTR` is no failure where the caller tries again, as libuv and SQLite mostly do. */
const ERRORS = ['EIO', 'ENOSPC', 'EINTR'] as const;

export const KILL = 'signal=SIGKILL';

/** Every case for the kill points of an operation, in an order of the seed's: kills, kills followed by one of the next opening, faults. */
function casesOf(operation: string, points: readonly KillPoint[], random: Random): Case[] {
  const cases = points.flatMap((at): Case[] => {
    const kills: Case[] = [
      { operation, at, action: KILL },
      { operation, at, action: KILL, thenAt: random() },
    ];
    // What is not about a file of the vault is the acknowledgement, which has no errors of interest.
    const isOnDisk = !(at.call === 'write' && at.path === undefined);
    return isOnDisk
      ? [...kills, ...ERRORS.map((error) => ({ operation, at, action: `error=${error}` }))]
      : kills;
  });
  return shuffled(cases, random);
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

/** The cases of a run of the matrix. `points` has the kill points of each operation. */
export function planCases(
  points: ReadonlyMap<string, readonly KillPoint[]>,
  count: number,
  seed: number,
): Case[] {
  const random = seeded(seed);
  return evenly(
    [...points].map(([operation, list]) => casesOf(operation, list, random)),
    count,
  );
}
