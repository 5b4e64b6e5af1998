/*
 * Started as a process of its own by copy-aside.ts, to make a copy or to check one. Only relative imports: it runs from `src` and from `dist` with no flags. SQLite keeps the thread that copies; the
 * other one watches whether somebody still wants the answer.
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { decodeCopyRequest, encodeCopyAnswer } from './copy-message.ts';
import type { CopyRequest } from './copy-message.ts';
import { DatabaseError } from './errors.ts';
import { fillCopyFromFile } from './fill-copy.ts';
import { checkSoundFile } from './integrity-check.ts';
import { toDatabaseError } from './translate-error.ts';

function failure(error: unknown): string {
  const { code, message } = toDatabaseError(error, 'cannot copy the database');
  return encodeCopyAnswer({ type: 'error', code, message });
}

/** Whole, and not from a pool: it goes to the other thread. */
async function readRequest(): Promise<Uint8Array<ArrayBuffer>> {
  let received = Buffer.alloc(0);
  for await (const piece of process.stdin.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, piece as Buffer]);
    if (decodeCopyRequest(received) !== undefined) return Uint8Array.from(received);
  }
  throw new DatabaseError('INVALID', 'the request for a copy is not complete');
}

async function answer(): Promise<string> {
  try {
    const request = await readRequest();
    // Standard input stays open as long as the parent wants the answer. Ending as usual would wait for the other thread.
    process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume();
    const worker = new Worker(new URL(import.meta.url), {
      workerData: request,
      transferList: [request.buffer],
      execArgv: [],
    });
    return await new Promise((done) => {
      worker.once('message', done);
      worker.once('error', (error) => {
        done(failure(error));
      });
    });
  } catch (error) {
    return failure(error);
  }
}

function copy(bytes: Uint8Array): string {
  const request: CopyRequest | undefined = decodeCopyRequest(Buffer.from(bytes.buffer));
  try {
    if (request === undefined) throw new DatabaseError('INVALID', 'the request for a copy is not complete');
    if (request.temporaryPath === undefined) checkSoundFile(request);
    else fillCopyFromFile(request, request.temporaryPath);
    return encodeCopyAnswer({ type: 'done' });
  } catch (error) {
    return failure(error);
  } finally {
    bytes.fill(0);
  }
}

if (isMainThread) {
  // A parent that is gone reads no answer.
  process.stdout.on('error', () => process.exit(1));
  process.stdout.write(await answer(), () => process.exit(0));
} else {
  parentPort?.postMessage(copy(workerData as Uint8Array));
}
