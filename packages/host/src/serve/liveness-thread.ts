import process from 'node:process';
import { Worker } from 'node:worker_threads';

// Node runs the source as it is; in `dist` the compiler has rewritten imports, but no URLs.
const WORKER_URL = new URL(
  `./liveness-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);

/**
 * Says that the owner is alive while SQLite keeps its main thread: looking through the structure of a large database, or copying one where no other process can, takes as long as it takes, and nothing
 * else runs in that thread meanwhile. This one has no database and no key. A process that is stopped does not answer here either, which tells it from one that works.
 */
export class LivenessThread {
  #worker: Worker | undefined;

  /** Resolves when it answers at that address. */
  async listen(address: string): Promise<void> {
    const worker = new Worker(WORKER_URL, {
      name: 'coffer-liveness',
      workerData: { address, pid: process.pid },
      env: {},
      execArgv: [],
      // It allocates little that lives.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker = worker;
    worker.unref();
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => {
        resolve();
      });
      // Later on nobody waits for this; without the thread an owner that is busy counts as one that is stopped.
      worker.on('error', reject);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }
}
