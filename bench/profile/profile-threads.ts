import { Session } from 'node:inspector';
import type { NodeWorker } from 'node:inspector';
import { Session as PromiseSession } from 'node:inspector/promises';
import type { CpuProfile } from './stages.ts';

const SAMPLING_INTERVAL_US = 500;

/** Profiles this thread and every worker that is started meanwhile; a profile each. (`--cpu-prof` loses workers that are terminated.) */
export async function profileThreads(work: () => Promise<void>): Promise<CpuProfile[]> {
  const main = new PromiseSession();
  main.connect();
  const workers = new WorkerProfiles();
  await main.post('Profiler.enable');
  await main.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  await main.post('Profiler.start');
  await work();
  const { profile } = await main.post('Profiler.stop');
  const others = await workers.stop();
  main.disconnect();
  return [profile as CpuProfile, ...others];
}

/** The profilers of worker threads, by messages that the main thread passes on. */
class WorkerProfiles {
  readonly #session = new Session();
  readonly #stopped = new Map<string, PromiseWithResolvers<CpuProfile>>();

  constructor() {
    this.#session.connect();
    this.#session.on('NodeWorker.attachedToWorker', ({ params }) => {
      this.#start(params.sessionId);
    });
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      this.#receive(params);
    });
    this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  async stop(): Promise<CpuProfile[]> {
    for (const sessionId of this.#stopped.keys()) this.#send(sessionId, STOP_ID, 'Profiler.stop');
    // Idle workers do not keep the process alive, and nothing else does while their answers are on the way.
    const alive = setInterval(() => undefined, 1000);
    const profiles = await Promise.all([...this.#stopped.values()].map(({ promise }) => promise));
    clearInterval(alive);
    this.#session.disconnect();
    return profiles;
  }

  #start(sessionId: string): void {
    this.#stopped.set(sessionId, Promise.withResolvers());
    this.#send(sessionId, 1, 'Profiler.enable');
    this.#send(sessionId, 2, 'Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    this.#send(sessionId, 3, 'Profiler.start');
  }

  #send(sessionId: string, id: number, method: string, params: object = {}): void {
    this.#session.post('NodeWorker.sendMessageToWorker', {
      sessionId,
      message: JSON.stringify({ id, method, params }),
    });
  }

  #receive({ sessionId, message }: NodeWorker.ReceivedMessageFromWorkerEventDataType): void {
    const answer = JSON.parse(message) as { id?: number; result?: { profile?: CpuProfile } };
    if (answer.id === STOP_ID && answer.result?.profile !== undefined) {
      this.#stopped.get(sessionId)?.resolve(answer.result.profile);
    }
  }
}

const STOP_ID = 4;
