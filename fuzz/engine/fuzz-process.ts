import { closeSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { TARGETS } from '../targets/targets.ts';
import { keepInput, readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { InputFailure, explore } from './explore.ts';

/**
 * Fuzzes one target, in a process of its own with a small heap: `TARGET SECONDS SEED CURRENT-INPUT [keep]`. Each input is written to the file before it
 * is run, so that what kills the process can be found there. Says on stdout, once a second, how far it is, and at the end what it found.
 */
const [name = '', seconds = '10', seed = '1', currentPath = '', keep = ''] = process.argv.slice(2);
const target = TARGETS.find((each) => each.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);

/** More than the small heap of this process can grow by, once everything is loaded and compiled. */
const MAX_GROWTH_KIB = 48 * 1024;

const current = openSync(currentPath, 'w');
const length = Buffer.alloc(4);
using coverage = new Coverage((url) => target.covers.some((path) => url.includes(`/packages/${path}`)));
let saidMs = Date.now();
let startKiB = 0;
let kept = 0;
const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};
try {
  const executions = await explore({
    target,
    corpus: readCorpus(name),
    coverage,
    seed: Number(seed),
    untilMs: Date.now() + Number(seconds) * 1000,
    before: (input) => {
      length.writeUInt32BE(input.length);
      writeSync(current, length, 0, 4, 0);
      writeSync(current, input, 0, input.length, 4);
    },
    onNew: (input) => {
      kept++;
      if (keep === 'keep') keepInput(name, input);
    },
    afterBatch: (done) => {
      if (Date.now() - saidMs < 1000) return;
      saidMs = Date.now();
      const { maxRSS } = process.resourceUsage();
      // Measured from where everything is loaded and compiled.
      startKiB ||= maxRSS;
      if (maxRSS - startKiB > MAX_GROWTH_KIB)
        throw new Error(`memory grew by ${String(maxRSS - startKiB)} KiB`);
      say({ type: 'progress', executions: done, kept, grownKiB: maxRSS - startKiB });
    },
  });
  const grownKiB = startKiB === 0 ? 0 : process.resourceUsage().maxRSS - startKiB;
  say({ type: 'done', executions, kept, grownKiB, functions: coverage.functions });
} catch (error) {
  const input = error instanceof InputFailure ? Buffer.from(error.input).toString('base64') : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  say({ type: 'failed', reason, ...(input === undefined ? {} : { input }) });
  process.exitCode = 1;
} finally {
  closeSync(current);
}
