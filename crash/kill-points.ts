import { existsSync, readFileSync } from 'node:fs';
import type { DiskCall } from './disk-calls.ts';
import type { Threads, Tracing } from './run-operation.ts';
import { THE_PROCESS } from './system-calls.ts';

/** Before which system call the process is killed, in a form that can be written down and given again. */
export interface KillPoint {
  readonly thread: 'main' | 'pool' | 'any';
  readonly call: string;
  readonly nth: number;
  /** Count only calls on this path: `write` is also how threads wake each other. */
  readonly path?: string;
}

/** The points of a recorded run. */
export interface Points {
  /** One before each call that changes something: between two of them the disk is the same. */
  readonly kills: readonly KillPoint[];
  /** At opens that change nothing: a kill there is one at the point before, but they may fail. */
  readonly opens: readonly KillPoint[];
}

export function pointsOf(calls: readonly DiskCall[], threads: Threads): Points {
  // Other processes only read, and strace could not tell theirs from a call of this one.
  const own = calls.filter(({ call }) => call.process === THE_PROCESS);
  const changing = own.filter(({ matters }) => matters);
  const opens = own.filter(({ call, matters }) => !matters && call.name === 'openat');
  const points = (chosen: readonly DiskCall[]): KillPoint[] => chosen.map((each) => pointOf(each, threads));
  return { kills: points(changing), opens: points(opens) };
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

/**
 * What has strace do `action` at a point: `signal=SIGKILL`, `error=EIO`, or `error=EIO+`, which goes on for all later calls of that name. `disk` is the one of this
 * run; what strace does is written to `log`.
 */
export function tracingAt(point: KillPoint, action: string, disk: string, log: string): Tracing {
  const { call, nth, path } = point;
  const onPath = path === undefined ? [] : ['-P', path.replace(/^.*\/vault\//, `${disk}/vault/`)];
  const isLasting = action.endsWith('+');
  const what = isLasting ? action.slice(0, -1) : action;
  return {
    target: (threads) =>
      point.thread === 'any' ? { process: threads.main } : { thread: threads[point.thread] },
    expressions: [`trace=${call}`, `inject=${call}:${what}:when=${String(nth)}${isLasting ? '+' : ''}`],
    options: ['-o', log, ...onPath],
  };
}

/** Whether strace has made a call fail, by its log. */
export function hasInjected(log: string): boolean {
  return existsSync(log) && readFileSync(log, 'utf8').includes('(INJECTED)');
}
