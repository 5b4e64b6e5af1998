/* Changes the key from the first to the second and back, and says which one is in place after each; until it is killed. */
import { openDatabase } from '../../src/index.ts';

const [path = '', firstHex = '', secondHex = ''] = process.argv.slice(2);
const keys = [Buffer.from(firstHex, 'hex'), Buffer.from(secondHex, 'hex')] as const;
const database = openDatabase({ path, key: keys[0] });
console.log('open');
for (let turn = 0; ; turn += 1) {
  const [key, newKey] = turn % 2 === 0 ? keys : ([keys[1], keys[0]] as const);
  const staged = await database.stageRekey({ key, newKey });
  // Every other time the copy is out of date and made again.
  if (turn % 4 < 2) database.settings.set(`turn/${String(turn)}`, 'x');
  await staged.commit();
  console.log(turn % 2 === 0 ? 'second' : 'first');
}
