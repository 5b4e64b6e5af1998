/**
 * Replaces the only slot of a vault, and kills this process with SIGKILL at the nth step that changes the disk: before it, in the middle
 * of it, or after it. Prints `done`, the number of steps and which of them are writes (which have a middle) when the change was acknowledged.
 *
 * With `outside` it is killed by whoever started it: it says `ready`, and begins when it is told to on its standard input.
 *
 * Arguments: folder of the vault, old keyfile, new keyfile, n, before | middle | after | outside
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type AsyncMethod = (this: unknown, ...values: unknown[]) => Promise<unknown>;

const [directory = '', oldPath = '', newPath = '', lastStep = '', moment = ''] = process.argv.slice(2);
let stepCount = -1;
const writes: number[] = [];

/** Counts the calls of a method as steps, and dies at the last one. `half` does a part of the work. */
function countSteps(
  target: object,
  name: string,
  half?: (handle: FileHandle, value: unknown) => Promise<unknown>,
): void {
  const original = Reflect.get(target, name) as AsyncMethod;
  const counted: AsyncMethod = async function (...values) {
    const changesDisk = name !== 'open' || values[1] === 'wx';
    if (stepCount < 0 || !changesDisk) return await original.apply(this, values);
    stepCount += 1;
    if (half !== undefined) writes.push(stepCount);
    const isLast = stepCount === Number(lastStep);
    if (isLast && moment === 'middle' && half !== undefined) await half(this as FileHandle, values[0]);
    if (isLast && moment !== 'after') process.kill(process.pid, 'SIGKILL');
    try {
      return await original.apply(this, values);
    } finally {
      if (isLast) process.kill(process.pid, 'SIGKILL');
    }
  };
  Reflect.set(target, name, counted);
}

const probe = await fs.open(import.meta.filename);
const handles = Object.getPrototypeOf(probe) as object;
await probe.close();
countSteps(handles, 'writeFile', (handle, bytes) => handle.write((bytes as Uint8Array).subarray(0, 200)));
countSteps(handles, 'sync');
for (const name of ['open', 'rename', 'unlink', 'link']) countSteps(fs, name);
// So that what is imported by name from node:fs/promises is what was just set.
syncBuiltinESMExports();

const { vaultPaths } = await import('../../src/paths.ts');
const { replaceSlot } = await import('../../src/vault-file/change-slots.ts');
const { readVaultFile } = await import('../../src/vault-file/read.ts');
const { unlockVaultFile } = await import('../../src/vault-file/unlock.ts');

const read = await readVaultFile(vaultPaths(directory));
const { rootKey, file, slotId } = await unlockVaultFile(read, { kind: 'keyfile', path: oldPath });
if (moment === 'outside') {
  writeSync(1, 'ready\n');
  await once(process.stdin, 'data');
  process.stdin.destroy();
}
stepCount = 0;
await replaceSlot(file, rootKey, slotId, { kind: 'keyfile', path: newPath });
process.stdout.write(`done ${JSON.stringify({ stepCount, writes })}\n`);
