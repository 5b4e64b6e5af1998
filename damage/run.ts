import process from 'node:process';
import { parseArgs } from 'node:util';
import { KINDS, LIMITS, isPerfect, runMatrix } from './matrix.ts';
import { printTable } from './tally.ts';
import type { Row } from './tally.ts';

const HELP = `Damages a small vault in every way there is and holds what happens against what should: docs/claims.md has the last figures.

  npx -y pnpm@12.21.0 damage [TEXT]     only the kinds of damage with TEXT in their name

  --one-in N    try one of N of the cases that differ in their place only (1: all of them)
  --seed N      other contents, and another choice of cases (1)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'one-in': { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const startMs = performance.now();
  const options = {
    oneIn: Math.max(1, Number(values['one-in'])),
    seed: Number(values.seed),
    filter: positionals.join(' '),
    onRow: ({ kind, cases, misses }: Row, seconds: number): void => {
      const said = misses.length === 0 ? '' : `, ${String(misses.length)} misses or more`;
      process.stderr.write(`${kind}: ${String(cases)} cases in ${seconds.toFixed(1)} s${said}\n`);
      for (const miss of misses) process.stderr.write(`  ${miss}\n`);
    },
  };
  const rows = await runMatrix(KINDS, options);
  const limits = await runMatrix(LIMITS, options);
  process.stdout.write(`${printTable(rows)}\n\nLimits that are written down:\n\n${printTable(limits)}\n`);
  process.stderr.write(`in ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);
  process.exitCode = isPerfect(rows) && isPerfect(limits, { limits: true }) ? 0 : 1;
}
