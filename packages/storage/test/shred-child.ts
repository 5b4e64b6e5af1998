// Deletes files with shred, to be killed on the way. Arguments: folder, ids.
import { openFileStorage, parseFileId } from '../src/index.ts';

const [directory = '', ...ids] = process.argv.slice(2);
const { storage } = await openFileStorage({ directory, key: new Uint8Array(32).fill(7) });
process.stdout.write('begin\n');
await storage.deleteFiles(ids.map(parseFileId), { shred: true });
// Not closed: that would clean up too.
process.kill(process.pid, 'SIGKILL');
