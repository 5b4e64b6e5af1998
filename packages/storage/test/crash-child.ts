// Saves and deletes files until it is killed. Says what is acknowledged, one line each, after the promise has resolved.
import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openFileStorage } from '../src/index.ts';

const [directory = '', seed = '0'] = process.argv.slice(2);
// Every other run seals on the threads of the pool.
const parallelFromBytes = Number(seed) % 2 === 0 ? Number.POSITIVE_INFINITY : 0;
const { storage } = await openFileStorage({ directory, key: new Uint8Array(32).fill(7), parallelFromBytes });

function say(line: string): void {
  // Synchronous, so that what was acknowledged has left this process.
  writeSync(1, `${line}\n`);
}

// Small, around the threshold, and larger than a segment, in an order of its own in each run.
const sizes = [10, 90_000, 102_399, 102_400, 300_000, 700_000];
const saved: Awaited<ReturnType<typeof storage.saveFile>>[] = [];
say('ready');
for (let turn = Number(seed); ; turn++) {
  const content = randomBytes(sizes[turn % sizes.length] ?? 0);
  const row = await storage.saveFile(content, { name: `f${String(turn)}` });
  say(`saved ${row.id} ${createHash('sha256').update(content).digest('hex')}`);
  saved.push(row);
  if (turn % 3 === 0) {
    const [victim] = saved.splice(0, 1);
    if (victim === undefined) continue;
    say(`deleting ${victim.id}`);
    await storage.deleteFile(victim.id);
    say(`deleted ${victim.id}`);
  }
}
