import { expect, test } from 'vitest';
import { expectError, expectRejection } from './support/expect-error.ts';
import { KEY, newDatabase, reopen } from './support/sample-database.ts';

test('work is kept whole and its result returned', () => {
  const database = newDatabase();
  const result = database.transaction(() => {
    database.settings.set('a', '1');
    database.settings.set('b', '2');
    return 42;
  });
  expect(result).toBe(42);
  database.close();
  expect(reopen(database.path).settings.all().size).toBe(2);
});

test('work that throws is undone whole, and its own error comes through', () => {
  const database = newDatabase();
  const error = new Error('no');
  const work = (): void => {
    database.settings.set('a', '1');
    throw error;
  };
  expect(() => {
    database.transaction(work);
  }).toThrow(error);
  expect(database.settings.all().size).toBe(0);
  database.settings.set('after', 'works');
  expect(database.settings.get('after')).toBe('works');
});

test('a call inside another is undone with it', () => {
  const database = newDatabase();
  expect(() => {
    database.transaction(() => {
      database.transaction(() => {
        database.settings.set('inner', '1');
      });
      throw new Error('outer');
    });
  }).toThrow('outer');
  expect(database.settings.all().size).toBe(0);
});

test('an inner failure that is caught undoes the inner part alone', () => {
  const database = newDatabase();
  database.transaction(() => {
    database.settings.set('before', '1');
    expect(() => {
      database.transaction(() => {
        database.settings.set('inner', '1');
        throw new Error('inner');
      });
    }).toThrow('inner');
    database.settings.set('after', '1');
  });
  expect([...database.settings.all().keys()]).toEqual(['after', 'before']);
});

test('work that returns a promise is undone and refused', async () => {
  const database = newDatabase();
  const ended = Promise.withResolvers<undefined>();
  expectError('INVALID', () =>
    database.transaction(async () => {
      database.settings.set('a', '1');
      await Promise.resolve();
      ended.resolve(undefined);
    }),
  );
  await ended.promise;
  expect(database.settings.all().size).toBe(0);
});

test('a backup or a checkpoint inside a transaction is refused', async () => {
  const database = newDatabase();
  const backups: Promise<void>[] = [];
  database.transaction(() => {
    expectError('INVALID', () => {
      database.checkpoint('truncate');
    });
    backups.push(database.backupTo(`${database.path}.backup`, { key: KEY }));
  });
  for (const backup of backups) await expectRejection('INVALID', backup);
});
