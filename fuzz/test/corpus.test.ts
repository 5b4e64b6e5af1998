import { describe, expect, test } from 'vitest';
import { bounded } from '../engine/bounded.ts';
import { readCorpus } from '../engine/corpus.ts';
import { INPUT_BOUNDS } from '../engine/explore.ts';
import { mutate } from '../engine/mutate.ts';
import { seeded } from '../engine/seeded.ts';
import type { Target } from '../targets/target.ts';
import { TARGETS } from '../targets/targets.ts';

const RUNS = 400;
// A process that runs tests keeps more garbage than the one that fuzzes, and compiles while it runs.
const BOUNDS = { ...INPUT_BOUNDS, maxGrowthMiB: 96 };

async function run(target: Target, input: Uint8Array): Promise<void> {
  await bounded(() => target.run(Uint8Array.from(input)), BOUNDS);
}

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  test('keeps its promises for every seed and everything that fuzzing has found', async () => {
    for (const input of [...target.seeds(), ...readCorpus(name)]) await run(target, input);
  });

  test('keeps them for changes of these', async () => {
    const random = seeded(20_261_124);
    const inputs = [...target.seeds(), ...readCorpus(name)];
    const one = (): Uint8Array => inputs[Math.floor(random() * inputs.length)] ?? new Uint8Array(0);
    const { maxSizeBytes, dictionary = [], repair } = target;
    for (let count = 0; count < RUNS; count++) {
      const changed = mutate(one(), { random, maxSizeBytes, dictionary, other: one() });
      await run(target, repair === undefined || count % 4 === 0 ? changed : repair(changed, random));
    }
  });

  test('has seeds', () => {
    expect(target.seeds().length).toBeGreaterThan(0);
  });
});
