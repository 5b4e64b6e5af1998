import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../harness/machine.ts';
import { machineLine } from '../harness/machine.ts';
import { findReport, formatted, isMet } from '../harness/report.ts';
import type { Report } from '../harness/report.ts';
import { growthChart, rateChart } from './charts.ts';
import { BUDGETS } from './budgets.ts';
import { REASONS, REMARKS } from './remarks.ts';
import { budgetTable, reportTables } from './tables.ts';

const NAMES = [
  ...['seal-1g', 'read-1g', 'ceiling', 'profile', 'small-files', 'list'],
  ...['range', 'startup', 'agent', 'rewrap', 'large-file', 'growth'],
];

/** Writes performance.md and its charts from a folder of results. Returns the paths. */
export async function renderDocs(results: string, folder: string): Promise<string[]> {
  const reports = NAMES.map((name) => findReport(name, results)).filter((report) => report !== undefined);
  const byName = new Map(reports.map((report) => [report.name, report]));
  const written: string[] = [];
  const write = (name: string, content: string): void => {
    const path = join(folder, name);
    writeFileSync(path, content);
    written.push(path);
  };
  const [sealing, reading, growing] = [byName.get('seal-1g'), byName.get('read-1g'), byName.get('growth')];
  if (sealing !== undefined && reading !== undefined) {
    const panels = [
      ['Adding a file of 1 GiB', sealing],
      ['Getting it back as a file', reading],
    ] as const;
    write('performance.svg', rateChart(panels));
  }
  if (growing !== undefined) write('performance-growth.svg', growthChart(growing));
  const path = join(folder, 'performance.md');
  write('performance.md', await formatted(renderPage(reports), path));
  return written;
}

function renderPage(reports: readonly Report[]): string {
  const sections = reports.map((report) =>
    [
      `## ${report.title}`,
      `\`${report.command}\`, ${report.takenAt.slice(0, 10)}`,
      REMARKS[report.name] ?? '',
      reportTables(report),
      report.name === 'growth' ? '![Growth of time and memory](performance-growth.svg)' : '',
      ...notes(report),
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
  );
  return `# Performance

What Coffer takes, beside other programs that do similar work. This page is written by \`npx -y pnpm@12.21.0 bench docs\` from the files in
[bench/results](../bench/results); edit \`bench/docs/\`, not this. How it is measured, and how to run it: [bench/README.md](../bench/README.md).

${describeMachines(reports)}

Absolute figures move from run to run and from machine to machine; ratios in one run hold better. MB are millions of bytes. A ratio is the
rate over that of the first row of its table. **Bold** rows are Coffer; \`ceiling\`, \`bare\` and \`cp\` are what the machine allows.

![Rates of adding and getting 1 GiB](performance.svg)

## Budgets

${budgetTable(reports)}

${reasons(reports)}

${sections.join('\n\n')}
`;
}

function reasons(reports: readonly Report[]): string {
  const missed = new Set(
    reports.flatMap(({ verdicts }) =>
      verdicts.filter((verdict) => !isMet(verdict)).map(({ budget }) => budget),
    ),
  );
  return BUDGETS.filter(({ key }) => missed.has(key) && REASONS[key] !== undefined)
    .map(({ key, what }) => `- ${what}: ${REASONS[key] ?? ''}`)
    .join('\n');
}

/** Mostly there is one: then it is said once. */
function describeMachines(reports: readonly Report[]): string {
  const machines = new Map<string, { machine: Machine; names: string[] }>();
  for (const { machine, name } of reports) {
    const known = machines.get(machineLine(machine)) ?? { machine, names: [] };
    known.names.push(name);
    machines.set(machineLine(machine), known);
  }
  const versions = Object.entries(
    Object.assign({}, ...reports.map((report) => report.versions)) as Record<string, string>,
  );
  const peers = versions.map(([name, version]) => `${name} ${version}`).join(', ');
  const lines = [...machines].map(([line, { names }]) =>
    machines.size === 1 ? line : `${line} (${names.join(', ')})`,
  );
  return `Machine: ${lines.join('; ')}. Peers: ${peers}.`;
}

function notes({ skipped, disturbances, othersShare }: Report): string[] {
  return [
    skipped.length === 0 ? '' : `Skipped: ${skipped.join('; ')}.`,
    disturbances.length === 0
      ? ''
      : `Disturbed: in ${String(disturbances.length)} timed runs something else used more than a quarter of the processors; the results name them.`,
    othersShare > 0.25
      ? `Disturbed: over the whole benchmark others used ${String(Math.round(othersShare * 100))} % of the processors.`
      : '',
  ];
}
