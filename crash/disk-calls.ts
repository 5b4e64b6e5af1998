import { THE_PROCESS } from './system-calls.ts';
import type { Argument, SystemCall } from './system-calls.ts';

/** A system call that touches the disk under examination, or acknowledges something. */
export interface DiskCall {
  readonly call: SystemCall;
  /** The file or folder that it is about. */
  readonly path: string;
  /** How many calls of this name its thread has made up to it: what strace counts by `when=`. */
  readonly nth: number;
  /** The same, among the calls on this path only. */
  readonly nthOnPath: number;
  /** It changes the disk, makes something durable, or acknowledges: what lies between two of these is all the same to a disk. */
  readonly matters: boolean;
}

export const ACKNOWLEDGEMENT = '(acknowledgement)';

const BY_DESCRIPTOR = new Set(
  ['write', 'pwrite64', 'pwritev', 'writev', 'ftruncate', 'fallocate', 'fsync', 'fdatasync', 'close'].concat([
    ...['sync_file_range', 'fchmod', 'utimensat', 'copy_file_range', 'ioctl', 'sendfile'],
  ]),
);

/** Picks the calls that are about files below `disk`, with what their descriptors stand for. */
export function diskCalls(calls: readonly SystemCall[], disk: string): DiskCall[] {
  const open = new Map<string, string>();
  const counts = new Map<string, number>();
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  };
  const found: DiskCall[] = [];
  for (const call of calls) {
    const nth = count(`${String(call.thread)} ${call.name}`);
    const path = pathOf(call, open);
    if (call.name === 'openat' && call.result !== undefined && call.result >= 0 && path !== undefined)
      open.set(descriptorKey(call, call.result), path);
    if (call.name === 'close') open.delete(descriptorKey(call, descriptorOf(call.arguments[0])));
    if (path === undefined || !(path === ACKNOWLEDGEMENT || path === disk || path.startsWith(`${disk}/`)))
      continue;
    const nthOnPath = count(`${String(call.thread)} ${call.name} ${path}`);
    found.push({ call, path, nth, nthOnPath, matters: matters(call) });
  }
  return found;
}

/** The number at the beginning of a descriptor's text; `NaN` for anything else. */
export function descriptorOf(argument: Argument | undefined): number {
  return argument?.kind === 'text' ? Number.parseInt(argument.text, 10) : Number.NaN;
}

/** The same number stands for something else in another process. */
export function descriptorKey({ process }: SystemCall, descriptor: number): string {
  return `${String(process)} ${String(descriptor)}`;
}

export function pathArguments(call: SystemCall): string[] {
  return call.arguments.flatMap((argument) => (argument.kind === 'bytes' ? [argument.bytes.toString()] : []));
}

function pathOf(call: SystemCall, open: ReadonlyMap<string, string>): string | undefined {
  if (!BY_DESCRIPTOR.has(call.name)) return pathArguments(call)[0];
  // The file that it changes; the one that is copied from comes first.
  const descriptor = descriptorOf(call.arguments[call.name === 'copy_file_range' ? 2 : 0]);
  if (call.name === 'write' && descriptor === 1 && call.process === THE_PROCESS) return ACKNOWLEDGEMENT;
  return open.get(descriptorKey(call, descriptor));
}

function matters(call: SystemCall): boolean {
  if (call.name === 'close') return false;
  if (call.name !== 'openat') return true;
  return call.arguments.some((argument) => argument.kind === 'text' && argument.text.includes('O_CREAT'));
}
