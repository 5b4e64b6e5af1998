import process from 'node:process';
import { setInterval, setTimeout } from 'node:timers/promises';
import { findStoppedHolder, hasSocketOf, isStopped, startOf } from '../place/process-state.ts';

/** How often it is looked. Stopped is who is seen so twice: one that is let go on at once is not. */
const LOOK_EVERY_MS = 250;
/** How long an owner that was told to end, and to go on, may still be stopped. */
const STOPPED_MS = 2_000;
const POLL_MS = 50;

/**
 * An owner that a signal has stopped. It listens at the address and has the vault's lock, or nobody has that: a vault that can only be read is locked by all who read it together. Nobody else
 * can be taken for it.
 */
export interface StoppedOwner {
  readonly pid: number;
  readonly address: string;
}

/** Resolves when the owner that listens at that address is seen to be stopped, which can be known on Linux. Rejects when the signal ends it. */
export async function untilStopped(
  directory: string,
  address: string,
  signal: AbortSignal,
): Promise<StoppedOwner> {
  let before: number | undefined;
  for await (const looks of setInterval(LOOK_EVERY_MS, process.platform === 'linux', {
    ref: false,
    signal,
  })) {
    if (!looks) continue;
    // Only now: loading it opens the database driver.
    const { findOwner } = await import('@coffer/vault');
    const pid = findOwner(directory) ?? findStoppedHolder(address);
    const isIt = pid !== undefined && isStopped(pid) && hasSocketOf(pid, address);
    if (isIt && pid === before) return { pid, address };
    before = isIt ? pid : undefined;
  }
  throw signal.reason;
}

/**
 * Ends an owner that is stopped, and resolves when it has the vault no more. It is told to end and let go on, so that it closes the vault as it should; one that still does not go on then is
 * killed, which the vault outlives as any crash. Before the first signals it is looked whether it still is the owner, and before the last one whether it still is that process. Throws the signal's reason.
 */
export async function endStoppedOwner(
  directory: string,
  { pid, address }: StoppedOwner,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { findOwner } = await import('@coffer/vault');
  const start = startOf(pid);
  const isAgent = (findOwner(directory) ?? pid) === pid && hasSocketOf(pid, address);
  if (isAgent) send(pid, 'SIGTERM', 'SIGCONT');
  // An agent ends when it has closed the vault; one without its socket is ending already.
  const hasVault = (): boolean => startOf(pid) === start && (isAgent || findOwner(directory) === pid);
  for (
    let stoppedMs = 0;
    start !== undefined && hasVault();
    stoppedMs = isStopped(pid) ? stoppedMs + POLL_MS : 0
  ) {
    if (stoppedMs >= STOPPED_MS) send(pid, 'SIGKILL');
    await setTimeout(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

function send(pid: number, ...signals: readonly NodeJS.Signals[]): void {
  try {
    for (const each of signals) process.kill(pid, each);
  } catch {
    // It has ended meanwhile.
  }
}
