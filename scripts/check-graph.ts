/** Holds the packages against the table of docs/architecture.md. */
import { dirname } from 'node:path';
import { LAYERS, checkPackageGraph } from './package-graph.ts';

const problems = checkPackageGraph(dirname(import.meta.dirname));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`\n${String(problems.length)} breaches of the package graph. What each package may import:`);
  for (const [name, { mayImport }] of Object.entries(LAYERS)) {
    console.error(`  ${name}: ${mayImport.join(', ') || 'none of ours'}`);
  }
  process.exitCode = 1;
}
