/*
 * Commits settings 0, 1, 2… and says each number after its commit; then writes on in a transaction that never ends, and says `inside`.
 */
import { openDatabase } from '../../src/index.ts';

const [path = '', keyHex = '', commits = '0'] = process.argv.slice(2);
const database = openDatabase({ path, key: Buffer.from(keyHex, 'hex') });
for (let number = 0; number < Number(commits); number += 1) {
  database.settings.set(`committed/${String(number)}`, 'x'.repeat(2000));
  console.log(number);
}
database.transaction(() => {
  for (let number = 0; ; number += 1) {
    // Far more than the cache holds: pages of this transaction spill into the WAL.
    database.settings.set(`uncommitted/${String(number)}`, 'y'.repeat(2000));
    if (number === 20_000) console.log('inside');
  }
});
