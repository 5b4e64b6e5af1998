import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** `sysconf(_SC_CLK_TCK)` on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time of every child process that has ended, and of those that they waited for; `undefined` where the system does not say. */
export function endedChildrenCpuSeconds(): number | undefined {
  return statSeconds('self', 13, 14);
}

/** CPU time of a process that still runs. */
export function processCpuSeconds(pid: number): number | undefined {
  return statSeconds(String(pid), 11, 12);
}

/** CPU time that the whole machine has spent, anybody's. */
function machineCpuSeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

/** Places as in proc(5), counted behind the name, which is in parentheses and may have spaces in it. */
function statSeconds(process: string, ...places: number[]): number | undefined {
  try {
    const text = readFileSync(`/proc/${process}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return places.reduce((sum, place) => sum + Number(fields[place]), 0) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Starts to watch; the result says which share of the machine's processors others have used since, the system's own threads among them. */
export function watchOthers(): () => number {
  const servedStart = servedCpuSeconds();
  const startMs = performance.now();
  const ownStart = process.cpuUsage();
  const childrenStart = endedChildrenCpuSeconds() ?? 0;
  const machineStart = machineCpuSeconds();
  return () => {
    const own = process.cpuUsage(ownStart);
    const ours = (own.user + own.system) / 1e6 + (endedChildrenCpuSeconds() ?? 0) - childrenStart;
    const served = servedCpuSeconds() - servedStart;
    const available = ((performance.now() - startMs) / 1000) * cpus().length;
    return Math.max(0, (machineCpuSeconds() - machineStart - ours - served) / available);
  };
}

const ownPids = new Set<number>();

/** A process that works for a benchmark, and is nobody's child: an agent. */
export function countAsOwn(pid: number): void {
  ownPids.add(pid);
}

function servedCpuSeconds(): number {
  return [...ownPids].reduce((sum, pid) => sum + (processCpuSeconds(pid) ?? 0), 0);
}
