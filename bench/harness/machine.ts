import { readFileSync } from 'node:fs';
import { cpus, platform, release, tmpdir, totalmem } from 'node:os';

/** What a figure depends on besides the code. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Whether the processor has the instructions that matter here; unknown where the system does not say. */
  readonly flags: { readonly aes: boolean; readonly sha_ni: boolean; readonly vaes: boolean } | undefined;
  readonly memoryGB: number;
  readonly system: string;
  /** Of the folder that the files are written to. */
  readonly fileSystem: string;
  readonly node: string;
  /** The one inside Node.js, which Coffer uses. */
  readonly openssl: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  const version = /^\d+(\.\d+)*/.exec(release())?.[0] ?? release();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    flags: cpuFlags(),
    memoryGB: Math.round(totalmem() / 1e9),
    system: `${platform()} ${version}`,
    fileSystem: fileSystemOf(tmpdir()),
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
}

export function machineLine(machine: Machine): string {
  const flags =
    machine.flags === undefined
      ? 'flags unknown'
      : Object.entries(machine.flags)
          .map(([flag, present]) => (present ? flag : `no ${flag}`))
          .join(', ');
  return [
    `${machine.cpu}, ${String(machine.cores)} cores (${flags})`,
    `${String(machine.memoryGB)} GB`,
    `${machine.system}, ${machine.fileSystem}`,
    `Node.js ${machine.node} with OpenSSL ${machine.openssl}`,
  ].join('; ');
}

function cpuFlags(): Machine['flags'] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.trim().split(/\s+/));
  // On ARM one flag each stands for AES and SHA-256, and there is no wider form.
  return { aes: flags.has('aes'), sha_ni: flags.has('sha_ni') || flags.has('sha2'), vaes: flags.has('vaes') };
}

function fileSystemOf(folder: string): string {
  const mounts = readText('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point = ' ']) => folder === point || folder.startsWith(point === '/' ? '/' : `${point}/`));
  // Of two mounts on one point the later one is seen.
  const seen = mounts.toSorted(([, a = ''], [, b = '']) => a.length - b.length).at(-1);
  return seen?.[2] ?? 'unknown';
}

/** `''` where there is no such file, on other systems. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
