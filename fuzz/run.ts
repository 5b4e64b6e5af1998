import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fuzz } from './engine/fuzz.ts';
import { TARGETS } from './targets/targets.ts';

const HELP = `Feeds the parsers of what comes from outside with inputs that are nearly right, guided by coverage.

  npx -y pnpm@12.21.0 fuzz [TARGET…]    ${TARGETS.map(({ name }) => name).join(', ')}; all when not given

  --seconds N   for each target (60)
  --seed S      of the changes (the time of day)
  --input FILE  run this one input: what a failure has stored
  --keep        add small inputs that reach something new to fuzz/corpus
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000)) },
    input: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (values.help || chosen.length === 0) {
  process.stdout.write(HELP);
} else if (values.input !== undefined) {
  for (const target of chosen) await target.run(readFileSync(values.input));
  process.stdout.write('nothing is wrong with it\n');
} else {
  process.stdout.write('| target | inputs | a second | reach something new | memory grew by | failures |\n');
  process.stdout.write('| --- | --- | --- | --- | --- | --- |\n');
  for (const { name } of chosen) {
    const seconds = Number(values.seconds);
    const { executions, kept, grownKiB, failure } = await fuzz(name, {
      seconds,
      seed: Number(values.seed),
      keep: values.keep,
    });
    const cells = [
      name,
      executions.toLocaleString('en'),
      Math.round(executions / seconds).toLocaleString('en'),
      String(kept),
      `${(grownKiB / 1024).toFixed(0)} MiB`,
      failure === undefined ? '0' : '1',
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
    if (failure === undefined) continue;
    process.exitCode = 1;
    process.stderr.write(
      `${name}: ${failure.reason}\nnpx -y pnpm@12.21.0 fuzz ${name} --input ${failure.path}\n`,
    );
  }
}
