import { watchOthers } from './cpu-time.ts';
import { settleDisk } from './durable.ts';
import type { Sample } from './measured-process.ts';
import type { Row } from './report.ts';
import { median, round } from './statistics.ts';

/** Somebody or something that is measured. */
export interface Contestant {
  readonly name: string;
  readonly kind: Row['kind'];
  /** What it does and does not do, in a few words. */
  readonly about: string;
  /** How many bytes one run works on, for a rate. */
  readonly sizeBytes?: number;
  /** How many things one run does, for a rate. */
  readonly operations?: number;
  /** One timed run. What it has to prepare or remove is not in the sample's time. */
  run(): Promise<Sample>;
}

export interface Interleaved {
  readonly rows: Row[];
  /** Contestants that failed, and why. */
  readonly failures: string[];
  /** Runs during which something else used the processors. */
  readonly disturbances: string[];
}

/** Above this share of the machine's CPU time, what others used has changed the figure. */
const DISTURBED_SHARE = 0.25;

/** Runs each contestant once in every round, each round beginning with another one, so that what drifts hits all alike. */
export async function interleave(contestants: readonly Contestant[], rounds: number): Promise<Interleaved> {
  const samples = new Map<Contestant, Sample[]>(contestants.map((contestant) => [contestant, []]));
  const failures: string[] = [];
  const disturbances: string[] = [];
  for (let index = 0; index < rounds; index += 1) {
    const remaining = [...samples.keys()];
    const first = index % remaining.length;
    for (const contestant of [...remaining.slice(first), ...remaining.slice(0, first)]) {
      settleDisk();
      try {
        const { sample, othersShare } = await observe(contestant);
        samples.get(contestant)?.push(sample);
        process.stderr.write(`  ${contestant.name}: ${sample.elapsedMs.toFixed(1)} ms\n`);
        if (othersShare > DISTURBED_SHARE) {
          disturbances.push(
            `${contestant.name}, round ${String(index + 1)}: others used ${String(Math.round(othersShare * 100))} % of the processors`,
          );
        }
      } catch (error) {
        failures.push(`${contestant.name}: ${error instanceof Error ? error.message : String(error)}`);
        samples.delete(contestant);
      }
    }
  }
  const rows = [...samples].map(([contestant, taken]) => toRow(contestant, taken));
  return { rows, failures, disturbances };
}

/** Short runs say nothing about others: the system counts in steps of 10 ms. */
const OBSERVABLE_MS = 300;

async function observe(contestant: Contestant): Promise<{ sample: Sample; othersShare: number }> {
  const othersShare = watchOthers();
  const sample = await contestant.run();
  return { sample, othersShare: sample.elapsedMs < OBSERVABLE_MS ? 0 : othersShare() };
}

export function toRow(
  { name, kind, about, sizeBytes, operations }: Omit<Contestant, 'run'>,
  samples: readonly Sample[],
): Row {
  const samplesMs = samples.map(({ elapsedMs }) => round(elapsedMs, 5));
  const medianMs = median(samplesMs);
  const cpu = samples.map(({ cpuSeconds }) => cpuSeconds).filter((value) => value !== undefined);
  const memory = samples.map(({ peakMemoryBytes }) => peakMemoryBytes).filter((value) => value !== undefined);
  return {
    name,
    kind,
    about,
    figures: {
      medianMs,
      ...(sizeBytes === undefined ? {} : { sizeBytes, mbPerSecond: round(sizeBytes / 1e3 / medianMs) }),
      ...(operations === undefined ? {} : { operations, perSecond: round((operations * 1000) / medianMs) }),
      ...(cpu.length === 0 ? {} : { cpuSeconds: round(median(cpu), 3) }),
      ...(memory.length === 0 ? {} : { peakMemoryMB: round(Math.max(...memory) / 1e6, 3) }),
    },
    samplesMs,
  };
}
