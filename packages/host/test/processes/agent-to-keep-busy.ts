/*
 * An agent for a vault that opens with a key file. `until PATH` on its standard input keeps its thread busy, as SQLite does, until there is such a file; `for MS` for so long.
 */
import { openVault } from '@coffer/vault';
import { existsSync, writeSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Agent } from '../../src/agent/agent.ts';
import { placesOfThisProcess } from '../../src/place/runtime-folder.ts';

const [directory = '', keyfile = ''] = process.argv.slice(2);
const vault = await openVault({ directory, secret: { kind: 'keyfile', path: keyfile } });
const agent = await Agent.start(vault, { limits: { forMs: 600_000 }, places: placesOfThisProcess() });
process.on('SIGTERM', () => void agent.lock('signal'));
const cell = new Int32Array(new SharedArrayBuffer(4));

createInterface({ input: process.stdin }).on('line', (line) => {
  const [how = '', what = ''] = line.split(' ');
  writeSync(1, 'busy\n');
  if (how === 'for') Atomics.wait(cell, 0, 0, Number(what));
  else while (!existsSync(what)) Atomics.wait(cell, 0, 0, 10);
});
writeSync(1, 'ready\n');
await agent.ended;
process.exit(0);
