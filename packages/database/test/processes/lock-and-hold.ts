/* Takes the owner lock and says `locked`, or the code of the error; then holds it until it is killed. */
import { DatabaseError, acquireOwnerLock } from '../../src/index.ts';

const [path = ''] = process.argv.slice(2);
try {
  const lock = acquireOwnerLock(path);
  console.log('locked');
  setInterval(() => lock, 60_000);
} catch (error) {
  console.log(error instanceof DatabaseError ? error.code : String(error));
}
