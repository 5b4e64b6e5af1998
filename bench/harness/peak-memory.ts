import { readFileSync } from 'node:fs';

/** The most memory a process has had so far (VmHWM); `undefined` where the system does not say, or when it has ended. */
export function peakMemoryBytes(pid: number | 'self'): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}
