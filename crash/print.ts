import type { Points } from './kill-points.ts';
import { describePoint } from './kill-points.ts';
import { KILL, describeCase } from './matrix.ts';
import type { Outcome } from './matrix.ts';

/** Below this share of what was tried, a run has not shown what it says. */
const MIN_REACHED = 0.95;

const HEADER = ['operation', 'cases', 'points', 'killed at', 'kills', 'killed again', 'faults', 'failed'];

/**
 * Prints for each operation what was reached of what was tried, and for each failure the command that shows it again. `points` is how many kill
 * points there are and how many of them a kill was reached at; a point may have several cases. Whether enough was reached, and everything held.
 */
export function printOutcomes(
  outcomes: readonly Outcome[],
  points: ReadonlyMap<string, Points>,
  seed: string,
): boolean {
  const rows = [...points].map(([name, { kills }]) => [
    name,
    ...cells(
      outcomes.filter((each) => each.case.operation === name),
      kills.length,
    ),
  ]);
  const all = [...points.values()].reduce((sum, { kills }) => sum + kills.length, 0);
  for (const row of [HEADER, ...rows, ['all', ...cells(outcomes, all)]]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(20) : cell.padStart(14))).join(''));
  }
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  for (const { case: each } of failed) console.log(`npx -y pnpm@12.21.0 crash ${describeCase(each)}`);
  const reached = outcomes.filter((each) => each.reached).length;
  const held = outcomes.filter((each) => each.reached && each.problem === undefined).length;
  const killed =
    points.size === 0 ? '' : `; killed at ${String(killedAt(outcomes))} of ${String(all)} points`;
  console.log(
    `seed ${seed}: ${String(held)} of ${String(reached)} reached cases hold, of ${String(outcomes.length)} tried${killed}`,
  );
  const isEnough = [reached / outcomes.length, ...sharesReached(outcomes)].every(
    (share) => Number.isNaN(share) || share >= MIN_REACHED,
  );
  if (!isEnough) console.log(`fewer than ${String(MIN_REACHED * 100)} % of a kind were reached`);
  return failed.length === 0 && isEnough;
}

function cells(outcomes: readonly Outcome[], points: number): string[] {
  const { kills, again, faults } = kinds(outcomes);
  return [
    String(outcomes.length),
    String(points),
    String(killedAt(outcomes)),
    share(kills),
    share(again),
    share(faults),
    String(outcomes.filter(({ problem }) => problem !== undefined).length),
  ];
}

/** Whether it came to each kill, to each second kill, to each fault. */
function kinds(outcomes: readonly Outcome[]): Record<'kills' | 'again' | 'faults', boolean[]> {
  const isKill = ({ case: { action } }: Outcome): boolean => action === KILL;
  return {
    kills: outcomes.filter(isKill).map(({ reached }) => reached),
    again: outcomes.flatMap(({ reachedThen }) => reachedThen ?? []),
    faults: outcomes.filter((each) => !isKill(each)).map(({ reached }) => reached),
  };
}

function sharesReached(outcomes: readonly Outcome[]): number[] {
  return Object.values(kinds(outcomes)).map((each) => each.filter(Boolean).length / each.length);
}

/** How many distinct points the process has died at. */
export function killedAt(outcomes: readonly Outcome[]): number {
  const killed = outcomes.filter((each) => each.reached && each.case.action === KILL);
  return new Set(killed.map(({ case: { operation, at } }) => `${operation} ${describePoint(at)}`)).size;
}

function share(each: readonly boolean[]): string {
  return `${String(each.filter(Boolean).length)}/${String(each.length)}`;
}
