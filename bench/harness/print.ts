import { styleText } from 'node:util';
import { machineLine } from './machine.ts';
import { isMet } from './report.ts';
import type { Report, Row, Verdict } from './report.ts';

/** How the figures of a table are called and shown, in this order. */
export const FIGURES: Readonly<Record<string, { readonly title: string; readonly digits: number }>> = {
  mbPerSecond: { title: 'MB/s', digits: 0 },
  perSecond: { title: 'per second', digits: 0 },
  medianMs: { title: 'median ms', digits: 1 },
  p95Ms: { title: '95 % ms', digits: 1 },
  firstMs: { title: 'first touch ms', digits: 1 },
  cpuSeconds: { title: 'CPU s', digits: 2 },
  peakMemoryMB: { title: 'peak MB', digits: 0 },
  threadSeconds: { title: 'thread s', digits: 2 },
  share: { title: '%', digits: 1 },
  rows: { title: 'rows', digits: 0 },
  insertMs: { title: 'insert ms', digits: 0 },
  openMs: { title: 'open ms', digits: 1 },
  firstPageMs: { title: 'first page ms', digits: 2 },
  searchMs: { title: 'search ms', digits: 2 },
  wholeMs: { title: 'whole ms', digits: 0 },
  nsPerByte: { title: 'ns/byte', digits: 2 },
};

export function shownFigures(rows: readonly Row[]): string[] {
  return Object.keys(FIGURES).filter((key) => rows.some(({ figures }) => figures[key] !== undefined));
}

export function showFigure(key: string, value: number | undefined): string {
  if (value === undefined) return '';
  const digits = FIGURES[key]?.digits ?? 0;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function groupRows(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.group ?? '', [...(groups.get(row.group ?? '') ?? []), row]);
  return groups;
}

export function showVerdict({ value, unit, limit, atLeast }: Verdict): { figure: string; limit: string } {
  const show = (number: number): string => {
    // Cut off, not rounded: what is missed by little does not look as if it were met.
    if (unit === '×') return (Math.floor(number * 100 + 1e-9) / 100).toFixed(2);
    return `${number.toFixed(number < 10 ? 1 : 0)} ${unit}`;
  };
  return { figure: show(value), limit: `${atLeast ? '≥' : '<'} ${show(limit)}` };
}

/** Writes a report for a person, with each row's rate over that of the first row of its table. */
export function printReport(report: Report): void {
  const lines = ['', styleText('bold', report.title), machineLine(report.machine)];
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  if (versions.length > 0) lines.push(versions.join(', '));
  for (const [group, rows] of groupRows(report.rows)) {
    if (group !== '') lines.push('', group);
    lines.push('', ...layOut(rows));
  }
  if (report.verdicts.length > 0) lines.push('');
  for (const verdict of report.verdicts) {
    const { figure, limit } = showVerdict(verdict);
    const mark = isMet(verdict) ? styleText('green', 'met   ') : styleText('red', 'missed');
    lines.push(`${mark} ${verdict.what}: ${figure} (budget ${limit})`);
  }
  for (const skipped of report.skipped) lines.push(`skipped: ${skipped}`);
  for (const disturbance of report.disturbances) lines.push(`disturbed: ${disturbance}`);
  console.log(lines.join('\n'));
}

function layOut(rows: readonly Row[]): string[] {
  const keys = shownFigures(rows);
  const reference = rows[0];
  const cells = rows.map((row) => [
    row.name,
    ...keys.map((key) => showFigure(key, row.figures[key])),
    reference === undefined || !isComparison(rows) ? '' : ratioTo(row, reference),
  ]);
  const head = ['', ...keys.map((key) => FIGURES[key]?.title ?? key), isComparison(rows) ? 'ratio' : ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  return [head, ...cells].map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** Whether the rows did the same thing: among Coffer's own rows alone a ratio says nothing. */
export function isComparison(rows: readonly Row[]): boolean {
  return rows.some(({ kind }) => kind === 'coffer') && rows.some(({ kind }) => kind !== 'coffer');
}

/** How many times as fast as the first row of its table. */
export function ratioTo(row: Row, reference: Row): string {
  const rate = ({ figures }: Row): number | undefined =>
    figures['mbPerSecond'] ??
    figures['perSecond'] ??
    (figures['medianMs'] === undefined ? undefined : 1 / figures['medianMs']);
  const [mine, first] = [rate(row), rate(reference)];
  return mine === undefined || first === undefined ? '' : (mine / first).toFixed(2);
}
