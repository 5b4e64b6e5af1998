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
type Saved = Awaited<ReturnType<typeof storage.saveFile>>;
const saved: Saved[] = [];
say('ready');
for (let turn = Number(seed); ; turn++) {
  if (turn % 4 === 1) await saveSome(turn);
  else await saveOne(turn);
  if (turn % 3 !== 0) continue;
  const victims = saved.splice(0, 1 + (turn % 2));
  for (const { id } of victims) say(`deleting ${id}`);
  await storage.deleteFiles(victims.map(({ id }) => id));
  for (const { id } of victims) say(`deleted ${id}`);
}

async function saveOne(turn: number): Promise<void> {
  const content = randomBytes(sizes[turn % sizes.length] ?? 0);
  acknowledge(await storage.saveFile(content, { name: `f${String(turn)}` }), content);
}

/** Several in one transaction, one of them sealed. */
async function saveSome(turn: number): Promise<void> {
  const contents = [1, 20, 3_000, 40_000, 102_400].map((sizeBytes) => randomBytes(sizeBytes));
  const files = contents.map((source, index) => ({
    source,
    options: { name: `f${String(turn)}-${String(index)}` },
  }));
  const results = await storage.saveFiles(files);
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected') throw result.reason;
    acknowledge(result.value, contents[index] ?? Buffer.alloc(0));
  }
}

function acknowledge(row: Saved, content: Buffer): void {
  say(`saved ${row.id} ${createHash('sha256').update(content).digest('hex')}`);
  saved.push(row);
}
