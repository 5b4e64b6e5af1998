/** Does one task through @coffer/vault, as it is shipped, and prints how long it took. Started by task.ts. */
import { setTimeout } from 'node:timers/promises';
import { peakMemoryBytes } from '../harness/peak-memory.ts';
import { profileThreads } from '../profile/profile-threads.ts';
import type { CpuProfile } from '../profile/stages.ts';
import { readStages } from '../profile/stages.ts';
import type { Task, TaskResult } from './task.ts';
import { secretOf } from './vaults.ts';

const task = JSON.parse(process.argv[2] ?? '') as Task;

const loadStart = performance.now();
const built = new URL('../../packages/vault/dist/index.js', import.meta.url).href;
const { openVault } = (await import(built)) as typeof import('../../packages/vault/src/index.ts');
const openStart = performance.now();
const vault = await openVault({ directory: task.directory, secret: secretOf(task) });
const openMs = performance.now() - openStart;
// Node.js is still optimizing the WebAssembly that it reads this TypeScript with, in the background: that is no part of the task.
await setTimeout(300);

const cpuBefore = process.cpuUsage();
const start = performance.now();
let profiles: readonly CpuProfile[] | undefined;
if (task.profile === true) profiles = await profileThreads(work);
else await work();
const elapsedMs = performance.now() - start;
const cpu = process.cpuUsage(cpuBefore);
await vault.close();

const result: TaskResult = {
  elapsedMs,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  peakMemoryBytes: peakMemoryBytes('self'),
  loadMs: openStart - loadStart,
  openMs,
  ...(profiles === undefined ? {} : { stages: readStages(profiles) }),
};
console.log(JSON.stringify(result));

async function work(): Promise<void> {
  switch (task.kind) {
    case 'add':
      await drain(vault.addPaths(task.paths, { recursive: true }));
      break;
    case 'get':
      await drain(vault.getPaths(task.items, { destination: task.destination }));
      break;
    case 'check':
      for await (const event of vault.check({ mode: 'full' })) {
        if (event.type === 'finding') throw new Error(event.finding.message);
      }
      break;
    case 'open':
      vault.list({ limit: 1 });
      break;
  }
}

async function drain(events: AsyncIterable<{ readonly type: string }>): Promise<void> {
  for await (const event of events) {
    if (event.type === 'failed' && 'error' in event) throw event.error;
    if (event.type === 'skipped') throw new Error('a file was skipped');
  }
}
