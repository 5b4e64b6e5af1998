import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CofferDatabase, FileRow } from '../../src/index.ts';
import { addBlob, newDatabase } from './sample-database.ts';

/** Large enough to be copied, or checked, by another process. */
export function largeDatabase(path?: string): {
  database: CofferDatabase;
  rows: [FileRow, ...FileRow[]];
} {
  const database = newDatabase(path);
  const add = (number: number): FileRow => addBlob(database, new Uint8Array(90_000).fill(number));
  const rows = database.transaction((): [FileRow, ...FileRow[]] => [
    add(0),
    ...Array.from({ length: 69 }, (_, number) => add(number + 1)),
  ]);
  database.checkpoint('truncate');
  return { database, rows };
}

/** Does something in each turn of the event loop until something else is done; returns how many turns there were. */
export async function turnsUntil(done: Promise<unknown>, work: () => void): Promise<number> {
  const ended = done.then(
    () => 'ended',
    () => 'ended',
  );
  let turns = 0;
  while ((await Promise.race([ended, nextTurn()])) !== 'ended') {
    work();
    turns += 1;
  }
  return turns;
}
