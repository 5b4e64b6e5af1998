import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFault } from '../command-line/judge.ts';
import { argumentsArbitrary } from '../command-line/arguments.ts';
import { bounded } from '../engine/bounded.ts';
import { runCommandLine } from '../command-line/run-command-line.ts';
import { Sandbox } from '../command-line/sandbox.ts';

// `COFFER_FUZZ_RUNS=100000 npx -y pnpm@12.21.0 exec vitest run --project fuzz command-line` for more, with COFFER_FUZZ_SEED for others.
const { COFFER_FUZZ_RUNS: runs = '250', COFFER_FUZZ_SEED: seed = '20261124' } = process.env;

/** The slowest derives a key of a passphrase, from 64 MiB. */
const BOUNDS = { maxCpuMs: 10_000, maxGrowthMiB: 256 };

test(
  'any command line ends in bounded time and memory with an exit code of the table, without a secret, a stack or a control character',
  { timeout: 300_000 + Number(runs) * 1_000 },
  async () => {
    using sandbox = await Sandbox.create();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(argumentsArbitrary(), async (args) => {
        // Some of them remove the vault.
        if (count++ % 10 === 0) sandbox.restore();
        const ended = await bounded(() => runCommandLine(args, sandbox.env), BOUNDS);
        expect(findFault(args, ended, sandbox.secrets)).toBeUndefined();
      }),
      { numRuns: Number(runs), seed: Number(seed), endOnFailure: true },
    );
  },
);
