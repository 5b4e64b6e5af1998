/* Checks the structure of a database again and again, until it is killed. */
import { openDatabase } from '../../src/index.ts';

const [path = '', keyHex = ''] = process.argv.slice(2);
const key = Buffer.from(keyHex, 'hex');
const database = openDatabase({ path, key });
console.log('open');
for (;;) await database.integrityCheckAside({ key });
