/*
 * The power loss model: `npx -y pnpm@12.21.0 crash:power [--operation X] [--seed S] [--quick]`. See docs/crash-safety.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../matrix.ts';
import { OPERATIONS, operationOf } from '../operations/table.ts';
import { whyNotTraced } from '../strace.ts';
import { Templates } from '../templates.ts';
import { checkOperation } from './check-operation.ts';
import type { PowerLossResult } from './check-operation.ts';
import { QUICK, THOROUGH } from './losses.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20261124' },
    operation: { type: 'string', multiple: true, default: [] },
    // The limits of the tests, which sample more.
    quick: { type: 'boolean', default: false },
  },
});

const reason = await whyNotTraced();
if (reason !== undefined) {
  console.error(`crash:power: ${reason}`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'coffer-power-'));
try {
  const templates = await Templates.make(folder);
  const names = values.operation.length === 0 ? modelled() : values.operation;
  const limits = values.quick ? QUICK : THOROUGH;
  const totals = { states: 0, problems: 0, sampled: 0, unknown: 0 };
  for (const name of names) {
    operationOf(name);
    try {
      const result = await checkOperation(templates, name, Number(values.seed), limits);
      printResult(result);
      totals.states += result.states;
      totals.problems += result.problems.length;
      totals.sampled += result.sampled.length;
    } catch (error) {
      // One operation that the model cannot follow must not keep the others from being tried.
      console.error(`FAILED ${name}: ${messageOf(error)}\n`);
      totals.unknown += 1;
    }
  }
  console.log(
    `seed ${values.seed}: ${String(totals.states - totals.problems)} of ${String(totals.states)} states hold, of ${String(names.length - totals.unknown)} of ${String(names.length)} operations; ${String(totals.sampled)} syncs sampled`,
  );
  process.exitCode = totals.problems + totals.unknown > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A keychain keeps files of its own, elsewhere: what it would have in one of these states nobody knows. */
function modelled(): readonly string[] {
  return Object.keys(OPERATIONS).filter((name) => operationOf(name).usesKeychain !== true);
}

function printResult({ operation, effects, syncs, states, sampled, problems }: PowerLossResult): void {
  for (const problem of problems) console.error(`FAILED ${problem}\n`);
  const counts = `${String(effects).padStart(5)} effects ${String(syncs).padStart(4)} syncs (${String(sampled.length).padStart(2)} sampled)`;
  console.log(
    `${operation.padEnd(20)} ${counts} ${String(states).padStart(6)} states ${String(problems.length).padStart(4)} failed`,
  );
  for (const label of sampled) console.log(`  sampled before ${label}`);
}
