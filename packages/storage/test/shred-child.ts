// Deletes files with shred, to be killed on the way. Says `ready`, begins when it is told to on its standard input, and says `done`. Arguments: folder, ids.
import { writeSync } from 'node:fs';
import { once } from 'node:events';
import { openFileStorage, parseFileId } from '../src/index.ts';

const [directory = '', ...ids] = process.argv.slice(2);
const { storage } = await openFileStorage({ directory, key: new Uint8Array(32).fill(7) });
writeSync(1, 'ready\n');
await once(process.stdin, 'data');
await storage.deleteFiles(ids.map(parseFileId), { shred: true });
writeSync(1, 'done\n');
// Not closed: that would clean up too.
process.kill(process.pid, 'SIGKILL');
