import { expect, test } from 'vitest';
import { KEY, newDatabase, reopen } from './support/sample-database.ts';
import { OtherProcess } from './support/other-process.ts';

// Real processes and files, on machines that do other things as well.

test('kill -9 inside a transaction loses nothing that was committed and keeps nothing that was not', async () => {
  const path = newClosedDatabase();
  const commits = 200;
  const writer = new OtherProcess(
    'write-until-killed.ts',
    path,
    Buffer.from(KEY).toString('hex'),
    String(commits),
  );
  for (let number = 0; number < commits; number += 1) expect(await writer.line()).toBe(String(number));
  expect(await writer.line()).toBe('inside');
  await writer.kill();

  const database = reopen(path);
  const keys = [...database.settings.all().keys()];
  expect(keys).toHaveLength(commits);
  expect(keys.every((key) => key.startsWith('committed/'))).toBe(true);
  expect(database.integrityCheck()).toEqual([]);
});

test.each([1, 5, 23])('kill -9 after %i acknowledged commits loses none of them', async (acknowledged) => {
  const path = newClosedDatabase();
  const writer = new OtherProcess('write-until-killed.ts', path, Buffer.from(KEY).toString('hex'), '1000');
  for (let number = 0; number < acknowledged; number += 1) await writer.line();
  await writer.kill();
  const settings = reopen(path).settings.all();
  for (let number = 0; number < acknowledged; number += 1)
    expect(settings.has(`committed/${String(number)}`)).toBe(true);
});

function newClosedDatabase(): string {
  const database = newDatabase();
  database.close();
  return database.path;
}
