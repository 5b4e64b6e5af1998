/* Opens the database and says `open`, or the code of the error; then holds it until it is killed. */
import { DatabaseError, openDatabase } from '../../src/index.ts';

const [path = '', keyHex = ''] = process.argv.slice(2);
try {
  const database = openDatabase({ path, key: Buffer.from(keyHex, 'hex') });
  console.log(database.path === '' ? '' : 'open');
  setInterval(() => database.schemaVersion, 60_000);
} catch (error) {
  console.log(error instanceof DatabaseError ? error.code : String(error));
}
