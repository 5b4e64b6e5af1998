import process from 'node:process';

export interface Bounds {
  /** Of all threads of this process: another program on the machine takes none of it. */
  readonly maxCpuMs: number;
  /** How much more memory than ever before this process may take. */
  readonly maxGrowthMiB: number;
  /** After so long it is not waited for any more. Not looked at when not given. */
  readonly hangsAfterMs?: number;
}

/** Runs one case. Throws when it takes more of the machine than its size allows. */
export async function bounded<T>(work: () => T | Promise<T>, bounds: Bounds): Promise<T> {
  const before = process.cpuUsage();
  const { maxRSS } = process.resourceUsage();
  const result = await ended(work(), bounds.hangsAfterMs);
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  if (tookMs > bounds.maxCpuMs) throw new Error(`it took ${tookMs.toFixed(0)} ms of a core`);
  const grownMiB = (process.resourceUsage().maxRSS - maxRSS) / 1024;
  if (grownMiB > bounds.maxGrowthMiB) throw new Error(`memory grew by ${grownMiB.toFixed(0)} MiB`);
  return result;
}

async function ended<T>(work: T | Promise<T>, hangsAfterMs: number | undefined): Promise<T> {
  if (hangsAfterMs === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error('it hangs'));
  }, hangsAfterMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
