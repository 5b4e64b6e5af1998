import { availableParallelism } from 'node:os';

/** Works through items, as many at a time as there are cores; each is asked for when there is a core for it. */
export async function inLanes<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}
