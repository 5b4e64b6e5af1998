import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from './inspect.ts';
import { checkRun, messageOf } from './matrix.ts';
import { operationOf } from './operations/table.ts';
import { runOperation } from './run-operation.ts';
import { copyDisk } from './templates.ts';
import type { Templates } from './templates.ts';

const DISK_SIZE_BYTES: number = 64 * 1024 * 1024;

let disksMade = 0;

/** Why no small disk can be made here; `undefined` when one can. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is for Linux';
  if (process.getuid?.() !== 0) return 'mounting a small disk needs root';
  return spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'mounting is not permitted';
}

/**
 * Runs an operation on a disk with so much free space, and examines what it leaves once there is space again. Here writes are cut short as
 * they are in life: what fits is written, and the next one fails. (strace could only pretend: it replaces what a call returns, not what it does.)
 * Returns what is wrong.
 */
export async function runOnFullDisk(
  templates: Templates,
  operation: string,
  freeBytes: number,
): Promise<string | undefined> {
  const template = await templates.of(operation);
  // Two of the same operation and size may be under way.
  const stage = template.beside(`full-${operation}-${String(++disksMade)}`);
  mkdirSync(stage.disk);
  const size = `size=${String(DISK_SIZE_BYTES)}`;
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', stage.disk]).status !== 0)
    return 'a small disk cannot be mounted';
  try {
    copyDisk(template, stage);
    const ballast = join(stage.disk, 'ballast');
    const { bavail, bsize } = statfsSync(stage.disk);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
    const run = await runOperation(operation, stage);
    checkRun(run, false);
    rmSync(ballast);
    await inspect(operationOf(operation), stage, run.said, {
      thorough: false,
      oldSecretFirst: freeBytes % 8192 === 0,
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    spawnSync('umount', ['-l', stage.disk]);
    rmSync(stage.disk, { recursive: true, force: true });
  }
}
