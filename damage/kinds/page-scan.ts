import { closeSync, openSync, writeSync } from 'node:fs';
import { scanPages } from '../../packages/database/src/index.ts';
import { PAGE_SIZE_BYTES } from '../vault/sample-database.ts';
import { isTried } from './kind.ts';
import type { Kind } from './kind.ts';

/** Every byte of the database: the scan that `check` runs names its page, and no other. */
export const pageScan: readonly Kind[] = [
  {
    name: 'a byte of the database, by the scan of its pages',
    async run(sample, tally, extent) {
      using databaseKey = sample.rootKey.derive('coffer/database/v1');
      const key = databaseKey.exportBytes();
      const path = sample.paths.database;
      const bytes = sample.snapshot.bytes('data.db');
      for (let offset = 0; offset < bytes.length; offset++) {
        if (!isTried({ ...extent, oneIn: extent.oneIn * 2 })) continue;
        const byte = bytes.readUInt8(offset);
        put(path, offset, byte ^ (1 << (offset % 8)));
        const { damagedPages, pageCount } = await scanPages({ path, key });
        put(path, offset, byte);
        const page = Math.floor(offset / PAGE_SIZE_BYTES) + 1;
        // The first 16 bytes are the salt of the keys of all pages.
        const expected = offset < 16 ? Array.from({ length: pageCount }, (_, index) => index + 1) : [page];
        const isRight = damagedPages.join() === expected.join();
        tally.count(`byte ${String(offset)}`, {
          detected: damagedPages.includes(page),
          named: isRight,
          advised: true,
          othersIntact: isRight,
          onlyAuthentic: true,
        });
      }
    },
  },
];

function put(path: string, offset: number, byte: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Uint8Array.of(byte), 0, 1, offset);
  } finally {
    closeSync(file);
  }
}
