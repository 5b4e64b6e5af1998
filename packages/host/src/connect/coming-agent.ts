import { placesOfThisProcess } from '../place/runtime-folder.ts';
import { findLivenessAddresses } from '../place/socket-place.ts';
import { askLiveness } from './ask-liveness.ts';
import type { ConnectOptions } from './connect-to-owner.ts';

const DEAF_MS = 10_000;

/** Whether a process says that it has the vault, and so serves it or is about to. */
export async function isAgentThere(
  directory: string,
  { places = placesOfThisProcess(), deafMs = DEAF_MS, signal }: ConnectOptions,
): Promise<boolean> {
  for (const address of findLivenessAddresses(directory, places)) {
    if ((await askLiveness(address, deafMs, signal)) !== undefined) return true;
  }
  signal?.throwIfAborted();
  return false;
}
