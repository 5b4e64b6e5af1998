import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

function mount(folder: string, sizeBytes: number): boolean {
  const options = ['-t', 'tmpfs', '-o', `size=${String(sizeBytes)}`, 'tmpfs', folder];
  return spawnSync('mount', options, { stdio: 'ignore' }).status === 0;
}

function unmount(folder: string): void {
  // Lazily, so that a file that a failed test left open does not keep it.
  spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
}

/** Whether this user may mount a file system, found out by running `true` in a mount namespace of its own. */
export const canMount: boolean =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0;

/** A folder on a file system of this size, unmounted after the test. */
export function smallDisk(sizeBytes: number): string {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  if (!mount(folder, sizeBytes)) throw new Error('the small disk cannot be mounted');
  onTestFinished(() => {
    unmount(folder);
  });
  return folder;
}
