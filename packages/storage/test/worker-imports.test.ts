import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');

/** What a module loads of this package and of others, with all that these load. Types are gone before it runs. */
function loadedBy(path: string, found = new Set<string>()): Set<string> {
  for (const [, isType, name = ''] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export) (type )?(?:[^'"]* from )?'([^']+)';$/gm,
  )) {
    if (isType !== undefined || found.has(name)) continue;
    if (!name.startsWith('.')) found.add(name);
    else loadedBy(join(dirname(path), name), found);
  }
  return found;
}

test('a thread of the pool loads the primitives and nothing of the database, which would double the time that it takes to start', () => {
  expect([...loadedBy(join(SOURCE, 'index.ts'))]).toContain('@coffer/database');
  const loaded = [...loadedBy(join(SOURCE, 'pool/segment-worker.ts'))];
  expect(loaded.filter((name) => !name.startsWith('node:'))).toEqual(['@coffer/crypto']);
});
