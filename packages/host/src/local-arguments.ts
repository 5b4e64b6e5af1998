import process from 'node:process';
import { resolve } from 'node:path';
import type { Caller } from './caller.ts';

type FromCaller = (args: readonly unknown[], caller: Caller) => readonly unknown[];

/** Says in the options at `index` which folder relative paths are taken from: those of the first argument, one or a list. */
export function withCwd(index: number): FromCaller {
  return ([paths, ...others], caller) => {
    const theirs = Array.isArray(paths) ? paths.map((path) => own(path, caller)) : own(paths, caller);
    return change([theirs, ...others], index, (options) => ({ cwd: caller.cwd, ...options }));
  };
}

/** Says in the options at `index` which folder a relative destination is taken from, and which modes new files and folders get. */
export function withCwdAndUmask(index: number): FromCaller {
  return (args, caller) =>
    change(args, index, (options) => ({
      cwd: caller.cwd,
      ...umaskOf(caller),
      ...options,
      ...('destination' in options ? { destination: own(options['destination'], caller) } : {}),
    }));
}

/** Makes a path in the options at `index` absolute, and says which modes new files and folders get. */
export function withDestination(index: number, name: string): FromCaller {
  return (args, caller) =>
    change(args, index, (options) => {
      const path = options[name];
      return typeof path === 'string' && path !== ''
        ? { ...umaskOf(caller), ...options, [name]: absolutePath(path, caller) }
        : options;
    });
}

/** Makes the path of a key file, in the secret at `index`, absolute. */
export function keyfileOfCaller(index: number): FromCaller {
  return (args, caller) => change(args, index, (secret) => withAbsoluteKeyfile(secret, caller));
}

/** The same in the secrets of the slots that the options at `index` keep. */
export function keyfilesOfCaller(index: number): FromCaller {
  return (args, caller) =>
    change(args, index, (options) => {
      const { keep } = options;
      if (!Array.isArray(keep)) return options;
      return { ...options, keep: keep.map((slot) => withAbsoluteSecret(slot, caller)) };
    });
}

function withAbsoluteSecret(slot: unknown, caller: Caller): unknown {
  if (!isRecord(slot)) return slot;
  const { secret } = slot;
  return isRecord(secret) ? { ...slot, secret: withAbsoluteKeyfile(secret, caller) } : slot;
}

function withAbsoluteKeyfile(secret: Readonly<Record<string, unknown>>, caller: Caller): object {
  return secret['kind'] === 'keyfile' && typeof secret['path'] === 'string'
    ? { ...secret, path: absolutePath(secret['path'], caller) }
    : secret;
}

/** Makes the path at `index` absolute. */
export function pathOfCaller(index: number): FromCaller {
  return (args, caller) => {
    const path = args[index];
    return typeof path === 'string' ? args.with(index, absolutePath(path, caller)) : args;
  };
}

/** A path that leads another process of the same user to the same file. Not normalized: `link/..` is what the operating system says it is. */
function absolutePath(path: string, caller: Caller): string {
  if (process.platform === 'win32') return resolve(caller.cwd, path);
  return ownPlace(path.startsWith('/') || path === '' ? path : `${caller.cwd}/${path}`, caller);
}

/** `/proc/self` and `/dev/fd` are other folders in every process, so another one is told by the number of this one. */
function ownPlace(path: string, { elsewhere }: Caller): string {
  if (elsewhere === undefined || process.platform !== 'linux') return path;
  const own = `/proc/${String(elsewhere.pid)}`;
  return path.replace(/^\/proc\/(self|thread-self)(?=\/|$)/, own).replace(/^\/dev\/fd(?=\/|$)/, `${own}/fd`);
}

function own(path: unknown, caller: Caller): unknown {
  return typeof path === 'string' ? ownPlace(path, caller) : path;
}

function umaskOf({ elsewhere }: Caller): { readonly umask?: number } {
  return elsewhere === undefined ? {} : { umask: elsewhere.umask };
}

function change(
  args: readonly unknown[],
  index: number,
  update: (value: Readonly<Record<string, unknown>>) => object,
): readonly unknown[] {
  const value = args[index] ?? {};
  const changed = isRecord(value) ? update(value) : value;
  return index < args.length ? args.with(index, changed) : [...args, changed];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
