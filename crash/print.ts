import { describeCase } from './matrix.ts';
import type { Outcome } from './matrix.ts';
import { KILL } from './plan.ts';

/** Prints how many points each operation had, and for each failure the command that shows it again. */
export function printOutcomes(outcomes: readonly Outcome[], seed: string): void {
  const names = [...new Set(outcomes.map((outcome) => outcome.case.operation))].sort();
  const rows = names.map((name) => [
    name,
    ...counts(outcomes.filter((each) => each.case.operation === name)),
  ]);
  const header = ['operation', 'points', 'kills', 'killed again', 'faults', 'not reached', 'failed'];
  for (const row of [header, ...rows, ['all', ...counts(outcomes)]]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(20) : cell.padStart(14))).join(''));
  }
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  for (const { case: each } of failed) console.log(`npx -y pnpm@12.21.0 crash ${describeCase(each)}`);
  console.log(
    `seed ${seed}: ${String(outcomes.length - failed.length)} of ${String(outcomes.length)} points hold`,
  );
}

function counts(outcomes: readonly Outcome[]): string[] {
  const kills = outcomes.filter(({ case: { action } }) => action === KILL);
  return [
    outcomes.length,
    kills.length,
    outcomes.filter(({ reachedThen }) => reachedThen).length,
    outcomes.length - kills.length,
    outcomes.filter(({ reached }) => !reached).length,
    outcomes.filter(({ problem }) => problem !== undefined).length,
  ].map(String);
}
