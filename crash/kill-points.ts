import type { DiskCall } from './disk-calls.ts';
import type { Threads, Tracing } from './run-operation.ts';

/** Before which system call the process is killed, in a form that can be written down and given again. */
export interface KillPoint {
  readonly thread: 'main' | 'pool' | 'any';
  readonly call: string;
  readonly nth: number;
  /** Count only calls on this path: `write` is also how threads wake each other. */
  readonly path?: string;
}

/** The kill points of a recorded run: one before each call that matters. */
export function killPoints(calls: readonly DiskCall[], threads: Threads): KillPoint[] {
  return calls.filter(({ matters }) => matters).map((each) => pointOf(each, threads));
}

/** One point for a call of a recorded run. */
function pointOf({ call, path, nth, nthOnPath }: DiskCall, threads: Threads): KillPoint {
  const thread = call.thread === threads.main ? 'main' : call.thread === threads.pool ? 'pool' : 'any';
  const onPath = call.name === 'write' && path.startsWith('/') && !/[0-9a-f]{16}/.test(path);
  if (onPath) return { thread, call: call.name, nth: nthOnPath, path };
  return { thread, call: call.name, nth };
}

export function describePoint({ thread, call, nth, path }: KillPoint): string {
  return `${thread}:${call}:${String(nth)}${path === undefined ? '' : `:${path.replace(/^.*\/vault\//, '')}`}`;
}

/** Reads what `describePoint` writes. */
export function parsePoint(text: string): KillPoint {
  const [thread = '', call = '', nth = '', path] = text.split(':');
  if ((thread !== 'main' && thread !== 'pool' && thread !== 'any') || call === '' || !/^[1-9]\d*$/.test(nth))
    throw new Error(`${text} is not a kill point`);
  return { thread, call, nth: Number(nth), ...(path === undefined ? {} : { path: `/vault/${path}` }) };
}

/** What has strace do `action` (`signal=SIGKILL`, `error=EIO`) at a point. `disk` is the one of this run. */
export function tracingAt(point: KillPoint, action: string, disk: string): Tracing {
  const { call, nth, path } = point;
  const onPath = path === undefined ? [] : ['-P', path.replace(/^.*\/vault\//, `${disk}/vault/`)];
  return {
    target: (threads) =>
      point.thread === 'any' ? { process: threads.main } : { thread: threads[point.thread] },
    expressions: [`trace=${call}`, `inject=${call}:${action}:when=${String(nth)}`],
    options: ['-o', '/dev/null', ...onPath],
  };
}
