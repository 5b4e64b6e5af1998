import { describe, expect, test } from 'vitest';
import { readCorpus } from '../engine/corpus.ts';
import { mutate } from '../engine/mutate.ts';
import { seeded } from '../engine/seeded.ts';
import { TARGETS } from '../targets/targets.ts';

const RUNS = 400;

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (name, target) => {
  test('keeps its promises for every seed and everything that fuzzing has found', async () => {
    for (const input of [...target.seeds(), ...readCorpus(name)]) await target.run(Uint8Array.from(input));
  });

  test('keeps them for changes of these', async () => {
    const random = seeded(20_261_124);
    const inputs = [...target.seeds(), ...readCorpus(name)];
    const one = (): Uint8Array => inputs[Math.floor(random() * inputs.length)] ?? new Uint8Array(0);
    const { maxSizeBytes, dictionary = [], repair } = target;
    for (let run = 0; run < RUNS; run++) {
      const changed = mutate(one(), { random, maxSizeBytes, dictionary, other: one() });
      await target.run(repair === undefined || run % 4 === 0 ? changed : repair(changed, random));
    }
  });

  test('has seeds', () => {
    expect(target.seeds().length).toBeGreaterThan(0);
  });
});
