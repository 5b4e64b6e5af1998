/* Takes the owner lock as one that only reads and says `reading`, or the code of the error; then holds it until it is killed. */
import { DatabaseError, acquireReaderLock } from '../../src/index.ts';

const [path = ''] = process.argv.slice(2);
try {
  const lock = acquireReaderLock(path);
  console.log('reading');
  setInterval(() => lock, 60_000);
} catch (error) {
  console.log(error instanceof DatabaseError ? error.code : String(error));
}
