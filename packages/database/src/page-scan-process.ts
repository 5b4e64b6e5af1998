/*
 * Started as a process of its own by page-scan-child.ts. Only relative imports: it runs from `src` and from `dist` with no flags.
 */
import { DatabaseError } from './errors.ts';
import { decodeScanRequest, encodeScanMessage } from './page-scan-message.ts';
import { scanDatabaseFile } from './page-scan.ts';
import type { PageScanProgress } from './page-scan.ts';
import type { ScanRequest } from './page-scan-message.ts';
import { toDatabaseError } from './translate-error.ts';

const PROGRESS_INTERVAL_MS = 100;

async function readRequest(): Promise<ScanRequest> {
  let received = Buffer.alloc(0);
  for await (const piece of process.stdin.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, piece as Buffer]);
    const request = decodeScanRequest(received);
    if (request !== undefined) return request;
  }
  throw new DatabaseError('INVALID', 'the request for a page scan is not complete');
}

async function answer(): Promise<string> {
  try {
    const request = await readRequest();
    // Standard input stays open as long as the parent wants the answer.
    process.stdin.on('end', () => process.exit(1)).resume();
    let reportedAtMs = 0;
    const onProgress = (progress: PageScanProgress): void => {
      if (Date.now() - reportedAtMs < PROGRESS_INTERVAL_MS) return;
      reportedAtMs = Date.now();
      process.stdout.write(encodeScanMessage({ type: 'progress', ...progress }));
    };
    const scan = await scanDatabaseFile({ ...request, onProgress });
    request.key.fill(0);
    return encodeScanMessage({ type: 'result', ...scan });
  } catch (error) {
    const { code, message } = toDatabaseError(error, 'cannot scan the pages');
    return encodeScanMessage({ type: 'error', code, message });
  }
}

// A parent that is gone reads no answer.
process.stdout.on('error', () => process.exit(1));
process.stdout.write(await answer(), () => process.exit(0));
