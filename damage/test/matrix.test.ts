import { describe, expect, test } from 'vitest';
import { KINDS, LIMITS, isPerfect, runMatrix } from '../matrix.ts';

// One case in so many of those that differ in their place only; `npx -y pnpm@12.21.0 damage` tries all of them.
const ONE_IN = 800;

describe('every damage is detected, named with what it affects and what to do, and nothing else is refused', () => {
  test.each(KINDS.map(({ name }) => name))('%s', async (name) => {
    const rows = await runMatrix(KINDS, { oneIn: ONE_IN, seed: 20_261_124, filter: name });
    expect(rows.flatMap(({ misses }) => misses)).toEqual([]);
    expect(rows[0]?.cases).toBeGreaterThan(0);
  });
});

test.each(LIMITS.map(({ name }) => name))(
  'what the design does not detect never gives out a wrong byte: %s',
  async (name) => {
    const rows = await runMatrix(LIMITS, { oneIn: ONE_IN, seed: 20_261_124, filter: name });
    expect(isPerfect(rows, { limits: true })).toBe(true);
  },
);
