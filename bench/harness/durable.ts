import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a file, or a folder with everything in it, durable, as Coffer does before it says that it is done. */
export function makeDurable(path: string): void {
  // One call for the whole file system: nothing else is waiting to be written, see `settleDisk`.
  if (statSync(path).isDirectory()) run('sync', ['-f', path]);
  else {
    syncOne(path);
    syncOne(dirname(path));
  }
}

/** So that no run pays for what another one has left in the page cache. */
export function settleDisk(): void {
  run('sync', []);
}

function run(command: string, args: readonly string[]): void {
  if (spawnSync(command, args).status !== 0) throw new Error(`${command} failed`);
}

function syncOne(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
