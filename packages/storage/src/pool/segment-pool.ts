import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { errnoOf } from '../errno.ts';
import { StorageError, throwIfAborted } from '../errors.ts';
import type { OutputFile } from '../output-file.ts';
import type { JobResult, OpenJob, SealJob, SegmentFailure } from './job.ts';
import { OwnShare } from './own-share.ts';
import { Ring } from './ring.ts';
import { makeToken } from './share.ts';

// Node runs the source as it is; in `dist` the compiler has rewritten imports, but no URLs.
const isSource = import.meta.url.endsWith('.ts');
const WORKER_URL = new URL(`./segment-worker${isSource ? '.ts' : '.js'}`, import.meta.url);

/** SHA-256, which is the main thread's work, keeps up with about three that seal. */
const MAX_WORKERS = 4;

type JobOf<T> = Omit<T, 'memory'>;

interface JobOptions {
  readonly first: number;
  readonly count: number | undefined;
  readonly output?: OutputFile | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A job that is under way: the ring it uses, and how it ends. While its methods wait, the calling thread works too. */
export interface RunningJob extends AsyncDisposable {
  readonly ring: Ring;
  /** Resolves when the segment's plaintext is in its slot. `false` when the job was abandoned. */
  untilReady(index: number): Promise<boolean>;
  /** The same, until the segment's slot may be filled. */
  untilFree(index: number): Promise<boolean>;
  /** Says that the segment, and all before it, are not needed in the ring any more. */
  markConsumed(index: number): void;
  /** Resolves when all threads have done their share and everything is written. Rejects as `rethrow` does. */
  finish(): Promise<void>;
  /** Ends the job and throws why a wait ended early or a segment has failed: `JobFailure`, `WriteFailure`, or what says that it was cancelled. */
  rethrow(): Promise<never>;
}

/** How a job that went wrong is told to its caller: anything that is no `StorageError` yet. */
export class JobFailure extends Error {
  readonly result: SegmentFailure;

  constructor(result: SegmentFailure) {
    super(result.type === 'failed' ? result.message : result.type);
    this.result = result;
    // Errors of the file system are translated by their errno.
    if (result.type === 'failed' && result.errno !== undefined) Object.assign(this, { code: result.errno });
  }
}

/** Writing the file failed; `cause` is what the system said, and its errno is this error's too. */
class WriteFailure extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    const errno = errnoOf(cause);
    if (errno !== undefined) Object.assign(this, { code: errno });
  }
}

/** How long idle threads are kept. */
const IDLE_MS = 30_000;

/**
 * The threads that seal and open large files, and the only place that knows of them. They are started by the first job, sleep between
 * jobs without keeping the process alive, and end when there was nothing to do for 30 s. One job at a time: who finds the pool busy does the
 * work on its own thread.
 */
export class SegmentPool {
  #ring: Ring | undefined;
  #token: Uint8Array | undefined;
  #workers: Worker[] = [];
  #idle: NodeJS.Timeout | undefined;
  #isBusy = false;

  /**
   * Begins a job, or says `undefined` when another one is under way. `first` and `count` are those of `Ring.reset`. What is sealed, or opened, goes to
   * `output`, each segment at its place. The job's copy of the file key is zeroed, now or at the end.
   */
  tryStart(
    job: JobOf<SealJob> | JobOf<OpenJob>,
    { first, count, output, signal }: JobOptions,
  ): RunningJob | undefined {
    if (this.#isBusy || signal?.aborted === true) {
      job.fileKey.fill(0);
      throwIfAborted(signal, 'cannot start');
      return undefined;
    }
    this.#isBusy = true;
    clearTimeout(this.#idle);
    this.#ring ??= Ring.allocate();
    const ring = this.#ring;
    ring.reset(first, count);
    this.#startWorkers();
    const withMemory = { ...job, memory: ring.memory };
    const own = new OwnShare(withMemory, { ring, first, output, token: (this.#token ??= makeToken()) });
    const finished = this.#runOn(withMemory, { ring, own }, signal);
    finished.catch(() => undefined);
    const rethrow = async (): Promise<never> => {
      ring.abandon();
      const { writeFailure } = own;
      if (writeFailure !== undefined) throw new WriteFailure(writeFailure.error);
      await finished;
      throwIfAborted(signal, 'cannot go on');
      throw new StorageError('FAILED', 'a worker stopped early');
    };
    return {
      ring,
      untilReady: (index) => own.until(() => ring.isReady(index)),
      untilFree: (index) => own.until(() => ring.isFree(index)),
      markConsumed: (index) => {
        own.markConsumed(index);
      },
      finish: async () => {
        if (!(await own.until(() => own.isWritten))) await rethrow();
        await finished;
      },
      rethrow,
      [Symbol.asyncDispose]: async () => {
        ring.abandon();
        await finished.catch(() => undefined);
        await own.idle();
        own[Symbol.dispose]();
        ring.clear();
        this.#isBusy = false;
        for (const worker of this.#workers) worker.unref();
        this.#endWhenIdle();
      },
    };
  }

  /** Starts the threads, for who knows that a job will come and has something else to do first. */
  warmUp(): void {
    if (this.#isBusy) return;
    this.#startWorkers();
    this.#endWhenIdle();
  }

  /** Ends the threads; the next job starts new ones. */
  async shutDown(): Promise<void> {
    clearTimeout(this.#idle);
    const workers = this.#workers;
    this.#workers = [];
    this.#ring?.abandon();
    await Promise.all(workers.map((worker) => worker.terminate()));
    if (!this.#isBusy) this.#ring = undefined;
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.shutDown(), IDLE_MS).unref();
  }

  #startWorkers(): void {
    const count = Math.min(Math.max(availableParallelism() - 1, 1), MAX_WORKERS);
    // One that died while it slept is replaced.
    this.#workers = this.#workers.filter(isAlive);
    while (this.#workers.length < count) {
      const worker = new Worker(WORKER_URL, {
        name: 'coffer-segments',
        execArgv: isSource ? ['--conditions=@coffer/source'] : [],
        // They allocate little that lives.
        resourceLimits: { maxYoungGenerationSizeMb: 2 },
      });
      worker.unref();
      // While it sleeps nobody else listens, and an error that nobody hears would end the process.
      worker.on('error', () => undefined);
      this.#workers.push(worker);
    }
  }

  async #runOn(
    job: SealJob | OpenJob,
    { ring, own }: { readonly ring: Ring; readonly own: OwnShare },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const onAbort = (): void => {
      ring.abandon();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const shares = this.#workers.map(async (worker) => {
        try {
          const result = await giveShare(worker, job);
          if (result.type !== 'done') throw new JobFailure(result);
        } catch (error) {
          // A bad segment ends the job when its turn comes; anything else ends it now.
          if (badSegment(error) === undefined) ring.abandon();
          throw error;
        }
      });
      const settled = await Promise.allSettled(shares);
      const failures = settled
        .filter((share) => share.status === 'rejected')
        .map(({ reason }) => reason as unknown);
      if (own.failure !== undefined) failures.push(new JobFailure(own.failure));
      failures.sort((a, b) => (badSegment(a) ?? -1) - (badSegment(b) ?? -1));
      if (failures.length > 0) throw failures[0];
      throwIfAborted(signal, 'cannot go on');
    } finally {
      signal?.removeEventListener('abort', onAbort);
      job.fileKey.fill(0);
    }
  }
}

/**
 * The pool of this process. All storages share it: there are no more cores for several, and starting and ending threads again and again
 * is what crashes V8 now and then (nodejs/node#64500).
 */
export const segmentPool: SegmentPool = new SegmentPool();

/** The number of the segment that could not be opened, if that is why. */
function badSegment(error: unknown): number | undefined {
  return error instanceof JobFailure && 'index' in error.result ? error.result.index : undefined;
}

/** Node gives a thread that has ended the id -1. */
function isAlive(worker: Worker): boolean {
  return worker.threadId > 0;
}

/** Gives a worker its share and waits for its result. Rejects when the worker dies. */
function giveShare(worker: Worker, job: SealJob | OpenJob): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (result: JobResult): void => {
      end();
      resolve(result);
    };
    const onError = (error: unknown): void => {
      end();
      reject(new StorageError('FAILED', 'a worker thread failed', { cause: error }));
    };
    const onExit = (code: number): void => {
      end();
      reject(new StorageError('FAILED', `a worker thread ended (exit code ${String(code)})`));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.ref();
    worker.postMessage(job);
  });
}
