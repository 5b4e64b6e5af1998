import {
  FIGURES,
  groupRows,
  isComparison,
  ratioTo,
  showFigure,
  showVerdict,
  shownFigures,
} from '../harness/print.ts';
import { isMet } from '../harness/report.ts';
import type { Report, Row } from '../harness/report.ts';
import { BUDGETS } from './budgets.ts';

/** Every row of the budgets with what was measured for it. */
export function budgetTable(reports: readonly Report[]): string {
  const verdicts = reports.flatMap((report) => report.verdicts);
  const rows = BUDGETS.flatMap(({ key, what, budget, benchmark }) => {
    const command = benchmark === undefined ? '' : `\`bench ${benchmark}\``;
    const own = verdicts.filter((verdict) => verdict.budget === key);
    if (own.length === 0) {
      return [[what, budget, benchmark === undefined ? 'not built yet' : 'not measured', '', command]];
    }
    return own.map((verdict, index) => {
      const { figure, limit } = showVerdict(verdict);
      const measured = `${verdict.what}: ${figure} (${limit})`;
      const mark = isMet(verdict) ? 'met' : '**missed**';
      return index === 0 ? [what, budget, measured, mark, command] : ['', '', measured, mark, ''];
    });
  });
  return table(['what', 'budget', 'measured', '', 'command'], ['', '', '', '', ''], rows);
}

/** One table for each group of a report. */
export function reportTables(report: Report): string {
  return [...groupRows(report.rows)]
    .map(([group, rows]) => (group === '' ? '' : `**${group}**\n\n`) + rowTable(rows))
    .join('\n\n');
}

function rowTable(rows: readonly Row[]): string {
  const keys = shownFigures(rows);
  const [reference] = rows;
  const ratios = rows.map((row) =>
    reference === undefined || rows.length < 2 ? '' : ratioTo(row, reference),
  );
  const hasRatio = isComparison(rows) && ratios.some((ratio) => ratio !== '');
  const abouts = new Set(rows.map(({ about }) => about));
  const hasAbout = abouts.size > 1;
  const head = [
    '',
    ...keys.map((key) => FIGURES[key]?.title ?? key),
    ...(hasRatio ? ['ratio'] : []),
    ...(hasAbout ? [''] : []),
  ];
  const align = head.map((_, column) =>
    column === 0 || (hasAbout && column === head.length - 1) ? '' : 'right',
  );
  const body = rows.map((row, index) => [
    row.kind === 'coffer' ? `**${escape(row.name)}**` : escape(row.name),
    ...keys.map((key) => showFigure(key, row.figures[key])),
    ...(hasRatio ? [ratios[index] ?? ''] : []),
    ...(hasAbout ? [row.about] : []),
  ]);
  const caption = hasAbout ? '' : `\n\n${[...abouts].join()}.`;
  return table(head, align, body) + caption;
}

function escape(name: string): string {
  return name.replaceAll(/[*_]/g, (mark) => `\\${mark}`);
}

function table(
  head: readonly string[],
  align: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = align.map((side) => (side === 'right' ? '---:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
