import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Marks } from '../tally.ts';
import { changeRows } from '../vault/sample-database.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isFound, isHarmless, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import type { Kind } from './kind.ts';

const STRANGE_ID = '0123456789abcdef0123456789abcdef';
const SHORT_ID = 'ff00';

/** Rows that no file's bytes depend on, and what only they give a meaning. None of them may cost a file. */
export const sideRows: readonly Kind[] = [
  closedKind('rows of deletions, settings, tags: other ones', changedSideRows, { isSlow: true }),
  closedKind('a partial file that a transfer can go on with', partialFiles, { isSlow: true }),
];

function* changedSideRows(sample: SampleVault): Generator<ClosedCase> {
  const each = (name: string, sql: string, judge: ClosedCase['judge'] = isUnharmed): ClosedCase => ({
    name,
    touches: ['data.db'],
    damage: () => {
      changeRows(sample, sql);
    },
    judge,
  });
  // A vault that was not closed is recovered, which is what destroys what was deleted.
  const unclean = `INSERT OR REPLACE INTO settings VALUES ('storage/unclean', '1');`;
  for (const [how, before] of [
    ['closed', ''],
    ['not closed', unclean],
  ] as const) {
    for (const { path, id } of sample.files) {
      yield each(
        `${how}: ${path} noted as deleted`,
        `${before} INSERT INTO tombstones VALUES (x'${id}', 1764000000000)`,
      );
    }
    for (const [what, id] of [
      ['no file', STRANGE_ID],
      ['no id', SHORT_ID],
    ] as const)
      yield each(
        `${how}: ${what} noted as deleted`,
        `${before} INSERT INTO tombstones VALUES (x'${id}', -1)`,
      );
    for (const value of [`''`, `'x'`, `'-1'`, `'1e999'`, `hex(randomblob(5000))`])
      yield each(`${how}: settings ${value}`, `${before} UPDATE settings SET value = ${value}`);
    yield each(`${how}: no settings`, `${before} DELETE FROM settings`);
    yield each(
      `${how}: many settings`,
      `${before} WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000)
        INSERT INTO settings SELECT 'storage/' || x, x FROM n`,
    );
  }
  yield each('no tags', 'DELETE FROM file_tags');
  yield each('a tag that is empty', `UPDATE OR REPLACE file_tags SET tag = ''`);
  yield each('a tag of 100 kB', `UPDATE OR REPLACE file_tags SET tag = hex(randomblob(50000))`);
  yield each('a tag of no file', `INSERT INTO file_tags VALUES (123456, 'x')`);
}

/** Every file is whole. Something may be said, of the database, or the vault be refused by name. */
function isUnharmed(met: Encounter): Marks {
  if (met.refusal !== undefined) return isRefused(met, 'data.db');
  const codes = met.seen?.findings.map(({ code }) => code) ?? [];
  return isFound(
    met,
    codes.filter((code) => code === 'DATABASE_DAMAGED' || code === 'DELETION_PENDING'),
  );
}

function* partialFiles(sample: SampleVault): Generator<ClosedCase> {
  const path = join(sample.paths.files, `${STRANGE_ID}.enc.part`);
  const contents: Readonly<Record<string, Uint8Array>> = {
    nothing: Buffer.alloc(0),
    'one byte': Buffer.alloc(1, 7),
    'other bytes': Buffer.alloc(9000, 7),
    'a whole sealed file': sample.sealedBytes(sample.file('pictures/one.bin')),
  };
  for (const state of ['active', 'paused']) {
    for (const [what, bytes] of Object.entries(contents)) {
      yield {
        name: `${state}, ${what}`,
        touches: ['data.db'],
        damage: () => {
          changeRows(
            sample,
            `INSERT INTO file_transfers (id, direction, state, name, mime_type, size_bytes, chunk_size_bytes, verified_bytes, file_id, created_at_ms, updated_at_ms)
              VALUES ('t', 'receive', '${state}', 'n', 'text/plain', 9000, 4096, 0, x'${STRANGE_ID}', 1, 1);
              INSERT OR REPLACE INTO settings VALUES ('storage/unclean', '1')`,
          );
          writeFileSync(path, bytes, { mode: 0o600 });
        },
        judge: (met) => {
          const marks = isHarmless(met);
          return { ...marks, detected: marks.detected && existsSync(path) };
        },
      };
    }
  }
}
