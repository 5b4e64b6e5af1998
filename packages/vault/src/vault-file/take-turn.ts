const lastTurns = new Map<string, Promise<void>>();

/** Runs `work` when everything that asked before for a turn at `path`, in this process, is done. */
export async function takeTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = lastTurns.get(path) ?? Promise.resolve();
  const result = before.then(work);
  const done = result.then(
    () => undefined,
    () => undefined,
  );
  lastTurns.set(path, done);
  try {
    return await result;
  } finally {
    if (lastTurns.get(path) === done) lastTurns.delete(path);
  }
}
