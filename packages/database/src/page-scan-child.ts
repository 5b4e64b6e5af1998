import { resolve } from 'node:path';
import { checkKeySize } from './cipher-key.ts';
import { DatabaseError } from './errors.ts';
import { findHeldFile } from './open-files.ts';
import { askOwnProcess } from './own-process.ts';
import { encodeScanRequest, parseScanMessage } from './page-scan-message.ts';
import type { PageScan, PageScanOptions } from './page-scan.ts';

/**
 * `scanPages` in a process of its own, also for a database that this process has open: no descriptor is opened and closed here,
 * so SQLite's locks stay. Such a database can be read and written meanwhile; what is written waits in the WAL.
 */
export async function scanPagesInChild(options: PageScanOptions): Promise<PageScan> {
  checkKeySize(options.key);
  options.signal?.throwIfAborted();
  const release = findHeldFile(options.path)?.freeze?.();
  try {
    return await scanInChild(options);
  } finally {
    release?.();
  }
}

async function scanInChild({ path, key, residue, signal, onProgress }: PageScanOptions): Promise<PageScan> {
  const request = encodeScanRequest({
    key,
    path: resolve(path),
    ...(residue === undefined ? {} : { residue }),
  });
  const what = `the page scan of ${path}`;
  const lines = askOwnProcess({ module: 'page-scan-process', request, signal, what });
  for await (const line of lines) {
    const message = parseScanMessage(line);
    if (message.type === 'error') throw new DatabaseError(message.code, message.message);
    if (message.type === 'result') {
      const { pageCount, damagedPages, residuePages } = message;
      return { pageCount, damagedPages, ...(residuePages === undefined ? {} : { residuePages }) };
    }
    onProgress?.({ pagesDone: message.pagesDone, pageCount: message.pageCount });
  }
  throw new DatabaseError('FAILED', `${what} said nothing`);
}
