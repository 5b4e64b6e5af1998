/*
 * The power loss model: `npx -y pnpm@12.21.0 crash:power [--operation X] [--seed S]`. See docs/crash-safety.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OPERATIONS, operationOf } from '../operations/table.ts';
import { whyNotTraced } from '../strace.ts';
import { Templates } from '../templates.ts';
import { checkOperation } from './check-operation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20261124' },
    operation: { type: 'string', multiple: true, default: [] },
  },
});

const reason = whyNotTraced();
if (reason !== undefined) {
  console.error(`crash:power: ${reason}`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'coffer-power-'));
try {
  const templates = await Templates.make(folder);
  const totals = { states: 0, problems: 0 };
  for (const name of values.operation.length === 0 ? Object.keys(OPERATIONS) : values.operation) {
    operationOf(name);
    const { effects, syncs, states, sampledMoments, problems } = await checkOperation(
      templates,
      name,
      Number(values.seed),
    );
    for (const problem of problems) console.error(`FAILED ${problem}\n`);
    const counts = `${String(effects).padStart(5)} effects ${String(syncs).padStart(4)} syncs (${String(sampledMoments).padStart(2)} sampled)`;
    console.log(
      `${name.padEnd(20)} ${counts} ${String(states).padStart(6)} states ${String(problems.length).padStart(4)} failed`,
    );
    totals.states += states;
    totals.problems += problems.length;
  }
  console.log(
    `seed ${values.seed}: ${String(totals.states - totals.problems)} of ${String(totals.states)} states hold`,
  );
  process.exitCode = totals.problems > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
