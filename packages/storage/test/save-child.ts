// Saves a small and a large file in the folder that it is given, with TMPDIR watched by whoever started it. Arguments: folder.
import { openFileStorage } from '../src/index.ts';

const [directory = ''] = process.argv.slice(2);
const marker = Buffer.from('The quick brown fox hides in the vault. ');
const { storage } = await openFileStorage({ directory, key: new Uint8Array(32).fill(7) });
await storage.saveFile(Buffer.alloc(50_000, marker), { name: 'small.txt', tags: ['private-tag'] });
await storage.saveFile(Buffer.alloc(600_000, marker), { name: 'large.txt' });
// Without closing: what is in the temporary folder now would have stayed there after a crash.
process.kill(process.pid, 'SIGKILL');
