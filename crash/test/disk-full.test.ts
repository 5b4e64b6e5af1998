import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runOnFullDisk, whyNoSmallDisk } from '../disk-full.ts';
import { seeded } from '../seeded.ts';
import { Templates } from '../templates.ts';

const reason = whyNoSmallDisk();
const PAGE_SIZE_BYTES = 4096;

/** Those that write most; `pnpm crash` has the others. */
const OPERATIONS = ['add-blob', 'add-sealed', 'add-tree', 'rm-folder', 'rotate', 'backup'];

test.skipIf(reason !== undefined)(
  `writes that are cut short by a full disk lose nothing and leave nothing over${reason === undefined ? '' : `: ${reason}`}`,
  async () => {
    const random = seeded(20_261_124);
    const folder = mkdtempSync(join(tmpdir(), 'coffer-full-'));
    try {
      const templates = await Templates.make(folder);
      for (const operation of OPERATIONS) {
        for (const most of [16, 128]) {
          const freeBytes = Math.floor(random() * most) * PAGE_SIZE_BYTES;
          const problem = await runOnFullDisk(templates, operation, freeBytes);
          expect(problem, `${operation} with ${String(freeBytes)} bytes free`).toBeUndefined();
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
