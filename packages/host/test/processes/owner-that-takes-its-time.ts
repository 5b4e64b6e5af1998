/*
 * Takes a vault, which opens with a key file, and says that it has it, until it was asked as often as it is told to. Then it serves the vault, or gives up.
 */
import { openVault } from '@coffer/vault';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { writeSync } from 'node:fs';
import process from 'node:process';
import { Agent } from '../../src/agent/agent.ts';
import { placesOfThisProcess } from '../../src/place/runtime-folder.ts';
import { choosePlace, listenUnderName, livenessAddress, socketPath } from '../../src/place/socket-place.ts';

const [directory = '', path = '', what = '', times = ''] = process.argv.slice(2);
const places = placesOfThisProcess();

/** As docs/spec/host.md has it. */
async function announce(): Promise<undefined> {
  const place = choosePlace(directory, places);
  if (place === undefined) throw new Error('there is no place for a socket');
  const askedOften = Promise.withResolvers<undefined>();
  let asked = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${String(process.pid)}\n`);
    asked += 1;
    if (asked === Number(times)) askedOften.resolve(undefined);
  });
  await listenUnderName(livenessAddress(socketPath(place)), async (address) => {
    await once(server.listen(address), 'listening');
  });
  writeSync(1, 'taken\n');
  await askedOften.promise;
  if (what === 'give up') process.exit(0);
  server.close();
}

const vault = await openVault({ directory, secret: { kind: 'keyfile', path }, announce });
const agent = await Agent.start(vault, { limits: { forMs: 600_000 }, places });
await agent.ended;
process.exit(0);
