import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import { changeRows } from '../vault/sample-database.ts';
import { closedKind, isAffecting } from './closed-case.ts';
import type { ClosedCase } from './closed-case.ts';
import type { Kind } from './kind.ts';

const TEMPORARY_ID = `x'${'f'.repeat(32)}'`;

/** Rows that are not what was written: only who has the key can do it, and a program with a bug. */
export const rows: readonly Kind[] = [
  closedKind('a row that is not its file’s', changedRows, { isSlow: true }),
  closedKind('small files’ bytes lost, changed, exchanged', changedBlobs, { isSlow: true }),
];

function* changedRows(sample: SampleVault): Generator<ClosedCase> {
  for (const file of sample.files) {
    const set = (name: string, assignment: string, affected: readonly SampleFile[] = [file]): ClosedCase =>
      changed(
        sample,
        `${file.path}: ${name}`,
        `UPDATE files SET ${assignment} WHERE id = ${idOf(file)}`,
        affected,
      );
    yield set('another SHA-256', `sha256 = randomblob(32)`);
    for (const change of [1, 16, 4096, 300_000]) {
      yield set(`${String(change)} bytes more`, `size_bytes = size_bytes + ${String(change)}`);
      if (file.content.length >= change) {
        yield set(`${String(change)} bytes fewer`, `size_bytes = size_bytes - ${String(change)}`);
      }
    }
    const placement = file.sealedName === undefined ? 'sealed' : 'blob';
    yield set(`placement ${placement}`, `placement = '${placement}'`);
  }
  for (const [index, a] of sealed(sample).entries()) {
    for (const b of sealed(sample).slice(index + 1)) {
      // Of the same size, each gives the other's authentic bytes before the SHA-256 refuses them. Who can do that has the key.
      if (a.content.length === b.content.length) continue;
      const swap = `UPDATE files SET id = ${TEMPORARY_ID} WHERE id = ${idOf(a)};
        UPDATE files SET id = ${idOf(a)} WHERE id = ${idOf(b)};
        UPDATE files SET id = ${idOf(b)} WHERE id = ${TEMPORARY_ID}`;
      yield changed(sample, `${a.path} and ${b.path}: each other’s id`, swap, [a, b]);
    }
  }
}

function* changedBlobs(sample: SampleVault): Generator<ClosedCase> {
  const blobs = sample.files.filter(({ sealedName }) => sealedName === undefined);
  for (const file of blobs) {
    const where = `WHERE file_key = (SELECT file_key FROM files WHERE id = ${idOf(file)})`;
    yield changed(sample, `${file.path}: lost`, `DELETE FROM file_blobs ${where}`, [file]);
    yield changed(
      sample,
      `${file.path}: a byte more`,
      `UPDATE file_blobs SET bytes = CAST(bytes || x'00' AS BLOB) ${where}`,
      [file],
    );
    if (file.content.length === 0) continue;
    yield changed(sample, `${file.path}: empty`, `UPDATE file_blobs SET bytes = x'' ${where}`, [file]);
    yield changed(
      sample,
      `${file.path}: other bytes`,
      `UPDATE file_blobs SET bytes = randomblob(length(bytes)) ${where}`,
      [file],
    );
  }
  for (const [index, a] of blobs.entries()) {
    for (const b of blobs.slice(index + 1)) {
      const key = (file: SampleFile): string => `(SELECT file_key FROM files WHERE id = ${idOf(file)})`;
      const swap = `UPDATE file_blobs SET file_key = -1 WHERE file_key = ${key(a)};
        UPDATE file_blobs SET file_key = ${key(a)} WHERE file_key = ${key(b)};
        UPDATE file_blobs SET file_key = ${key(b)} WHERE file_key = -1`;
      yield changed(sample, `${a.path} and ${b.path}: exchanged`, swap, [a, b]);
    }
  }
}

function changed(
  sample: SampleVault,
  name: string,
  sql: string,
  affected: readonly SampleFile[],
): ClosedCase {
  return {
    name,
    touches: ['data.db'],
    damage: () => {
      changeRows(sample, sql);
    },
    judge: (met) =>
      isAffecting(
        met,
        affected.map(({ path }) => path),
      ),
  };
}

function sealed(sample: SampleVault): readonly SampleFile[] {
  return sample.files.filter(({ sealedName }) => sealedName !== undefined);
}

function idOf({ id }: SampleFile): string {
  return `x'${id}'`;
}
