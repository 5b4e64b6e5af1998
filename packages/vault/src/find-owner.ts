import { findLockHolder } from '@coffer/database';
import { vaultPaths } from './paths.ts';

/** The number of the process that has the vault open, where the operating system tells: Linux, for processes of the same user. Nothing is opened. */
export function findOwner(directory: string): number | undefined {
  return findLockHolder(vaultPaths(directory).ownerLock);
}
