import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DatabaseError, invalid } from './errors.ts';
import { findHeldFile } from './open-files.ts';
import { KEY_SIZE_BYTES } from './page-layout.ts';
import { encodeScanRequest, parseScanMessage } from './page-scan-message.ts';
import type { ScanRequest } from './page-scan-message.ts';
import type { PageScan, PageScanOptions } from './page-scan.ts';

// Node runs the source as it is; in `dist` the compiler has rewritten imports, but no URLs.
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const PROCESS_PATH: string = fileURLToPath(new URL(`./page-scan-process${extension}`, import.meta.url));

/**
 * `scanPages` in a process of its own, also for a database that this process has open: no descriptor is opened and closed here,
 * so SQLite's locks stay. Such a database can be read and written meanwhile; what is written waits in the WAL.
 */
export async function scanPagesInChild(options: PageScanOptions): Promise<PageScan> {
  if (options.key.length !== KEY_SIZE_BYTES)
    throw invalid(`a database key has ${String(KEY_SIZE_BYTES)} bytes`);
  options.signal?.throwIfAborted();
  const release = findHeldFile(options.path)?.freeze?.();
  try {
    return await scanInChild(options);
  } finally {
    release?.();
  }
}

async function scanInChild({ path, key, residue, signal, onProgress }: PageScanOptions): Promise<PageScan> {
  const child = spawn(process.execPath, [PROCESS_PATH], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: childEnvironment(),
    windowsHide: true,
  });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', kill, { once: true });
  const closed = closeOf(child);
  try {
    const request = { key, path: resolve(path), ...(residue === undefined ? {} : { residue }) };
    await sendRequest(child.stdin, request);
    const scan = await readAnswers(child.stdout, onProgress);
    if (scan !== undefined) return scan;
    const reason = await closed;
    signal?.throwIfAborted();
    throw new DatabaseError('FAILED', `the page scan of ${path} ended early: ${reason}`);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
    await closed;
  }
}

/** Options meant for this process (a debugger's port, loaders, coverage) are not for that one. */
function childEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  delete environment['NODE_OPTIONS'];
  delete environment['NODE_V8_COVERAGE'];
  // Inside Electron `execPath` is the application.
  environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}

/** Why it ended; never rejects. */
function closeOf(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.once('error', (error) => {
      done(error.message);
    });
    child.once('close', (code, signal) => {
      done(signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
    });
  });
}

/** The input is left open: when it ends, because this process is gone, the child ends too. */
function sendRequest(stdin: Writable, asked: ScanRequest): Promise<void> {
  const request = encodeScanRequest(asked);
  return new Promise((done) => {
    // A child that could not start or died closes its input: why, its end tells.
    stdin.on('error', () => {
      request.fill(0);
      done();
    });
    stdin.write(request, () => {
      request.fill(0);
      done();
    });
  });
}

async function readAnswers(
  stdout: Readable,
  onProgress: PageScanOptions['onProgress'],
): Promise<PageScan | undefined> {
  for await (const line of createInterface({ input: stdout, crlfDelay: Infinity })) {
    const message = parseScanMessage(line);
    if (message.type === 'error') throw new DatabaseError(message.code, message.message);
    if (message.type === 'result') {
      const { pageCount, damagedPages, residuePages } = message;
      return { pageCount, damagedPages, ...(residuePages === undefined ? {} : { residuePages }) };
    }
    onProgress?.({ pagesDone: message.pagesDone, pageCount: message.pageCount });
  }
  return undefined;
}
