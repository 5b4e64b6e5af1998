import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { DamagedFile } from '../src/salvage/damaged-file.ts';
import { cellsOf } from '../src/salvage/page-cells.ts';
import { decodeRecord } from '../src/salvage/record.ts';
import { readWalFrames } from '../src/salvage/wal-frames.ts';
import { FRAME, LOG_HEADER, signFrames } from './support/log-bytes.ts';
import { KEY, newDatabase } from './support/sample-database.ts';

const PAGE = 4096;
const KINDS = [2, 5, 10, 13];

/** A page of a kind that has cells, with anything in it. */
const anyPage = fc
  .tuple(
    fc.constantFrom(...KINDS),
    fc.nat(600),
    fc.uint8Array({ minLength: PAGE - 80, maxLength: PAGE - 80 }),
  )
  .map(([kind, cells, bytes]) => {
    const page = Buffer.from(bytes);
    page.writeUInt8(kind, 0);
    page.writeUInt16BE(cells, 3);
    return page;
  });

test('whatever a page says, its cells are read to an end and stay within their bounds', () => {
  fc.assert(
    fc.property(anyPage, fc.integer({ min: 3, max: 800 }), (page, number) => {
      for (const { payload } of cellsOf(page, number, () => page)) {
        if (payload === undefined) continue;
        expect(payload.length).toBeLessThanOrEqual(32 * 1024 * 1024);
        decodeRecord(payload);
      }
    }),
  );
});

test('whatever a record says, it has values or is none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const values = decodeRecord(Buffer.from(bytes));
      for (const value of values ?? []) {
        if (value instanceof Uint8Array || typeof value === 'string')
          expect(value.length).toBeLessThanOrEqual(bytes.length);
      }
    }),
  );
});

test('whatever a log says, it is read to its end, and its frames are within it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.boolean(), (bytes, isSigned) => {
      const log = Buffer.from(bytes);
      if (isSigned && log.length >= 32) sign(log);
      const { frames } = readWalFrames((offset, length) => log.subarray(offset, offset + length));
      for (const { offset = 0 } of frames) expect(offset + PAGE).toBeLessThanOrEqual(log.length);
    }),
  );
});

/** A log that SQLite would read: its magic, the same salts everywhere, and checksums. */
function sign(log: Buffer): void {
  log.writeUInt32BE(0x37_7f_06_82, 0);
  const whole = log.subarray(0, LOG_HEADER + Math.floor((log.length - LOG_HEADER) / FRAME) * FRAME);
  for (let frame = LOG_HEADER; frame < whole.length; frame += FRAME) whole.copy(whole, frame + 8, 16, 24);
  signFrames(whole);
}

/** As our tables have them. */
const anyRow = fc.tuple(
  fc.option(fc.maxSafeInteger()),
  fc.option(fc.string({ unit: 'binary', maxLength: 6_000 }).filter((text) => !text.includes('\0'))),
  fc.option(fc.uint8Array({ maxLength: 20_000 })),
);

test('what SQLite writes is read back as it is: rows and entries of every size, with any values', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: 1, maxLength: 20 }), (rows) => {
      const database = newDatabase();
      database.close();
      const connection = openKeyedConnection(database.path, KEY);
      connection.exec('CREATE TABLE t (a INTEGER, b TEXT, c BLOB) STRICT');
      for (const row of rows) connection.run('INSERT INTO t VALUES (?, ?, ?)', ...row);
      connection.close();
      using file = DamagedFile.open(database.path, KEY);
      const found: unknown[] = [];
      for (let number = 1; number <= file.pageCount; number += 1) {
        const page = file.read(number);
        if (page === undefined) throw new Error(`page ${String(number)} is not authentic`);
        for (const { rowid, payload } of cellsOf(page, number, (each) => file.read(each))) {
          const values = payload === undefined ? undefined : decodeRecord(payload);
          if (rowid !== undefined && values?.length === 3) found.push([rowid, values.map(plain)]);
        }
      }
      const expected = rows.map((row, index) => [index + 1, row.map(plain)]);
      expect(found.toSorted(byRowid)).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}

function byRowid(a: unknown, b: unknown): number {
  return Number((a as unknown[])[0]) - Number((b as unknown[])[0]);
}
