/** Runs one task of ceiling.ts in threads and prints how long they took. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { peakMemoryBytes } from '../harness/peak-memory.ts';
import type { CeilingTask } from './ceiling.ts';

const task = JSON.parse(process.argv[2] ?? '') as CeilingTask;
const script = new URL('./ceiling-worker.ts', import.meta.url);

const target = task.files === undefined ? undefined : await open(task.files.target, 'wx', 0o600);
const workers = await Promise.all(
  Array.from({ length: task.threads }, async (_, index) => {
    const worker = new Worker(script, { workerData: { ...task, index } });
    await message(worker);
    return worker;
  }),
);

const cpuBefore = process.cpuUsage();
const start = performance.now();
const done = Promise.all(workers.map(message));
for (const worker of workers) worker.postMessage('go');
await done;
if (target !== undefined && task.files !== undefined) {
  await target.sync();
  const folder = openSync(dirname(task.files.target), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
const elapsedMs = performance.now() - start;
const cpu = process.cpuUsage(cpuBefore);
await target?.close();
await Promise.all(workers.map((worker) => worker.terminate()));
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(JSON.stringify({ elapsedMs, cpuSeconds, peakMemoryBytes: peakMemoryBytes('self') }));

async function message(worker: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve();
    });
    worker.once('error', reject);
  });
}
