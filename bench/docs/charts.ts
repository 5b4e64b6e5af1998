import type { Report, Row } from '../harness/report.ts';
import { bar, curve, line, svg, text } from './svg.ts';

const WIDTH = 860;
const BAR_HEIGHT = 18;
const BAR_STEP = 26;
const LABEL_WIDTH = 170;
const VALUE_WIDTH = 60;

/** Bars of MB/s, one panel for each report, side by side on one scale. */
export function rateChart(panels: readonly (readonly [title: string, report: Report])[]): string {
  const width = WIDTH / panels.length;
  const rates = panels.flatMap(([, { rows }]) => rows.map(rateOf));
  const scale = (width - LABEL_WIDTH - VALUE_WIDTH - 20) / Math.max(...rates);
  const content: string[] = [];
  let height = 0;
  for (const [index, [title, report]] of panels.entries()) {
    const left = index * width;
    content.push(
      text(left + 20, 32, title, 'ink title'),
      text(left + 20, 52, 'MB/s, median, until durable', 'soft small'),
    );
    const rows = report.rows.toSorted((a, b) => rateOf(b) - rateOf(a));
    for (const [place, row] of rows.entries()) {
      const y = 70 + place * BAR_STEP;
      const barWidth = rateOf(row) * scale;
      content.push(
        text(left + LABEL_WIDTH - 8, y + 14, row.name, row.kind === 'coffer' ? 'ink' : 'soft', 'end'),
        bar(left + LABEL_WIDTH, y, barWidth, BAR_HEIGHT, row.kind),
        text(left + LABEL_WIDTH + barWidth + 6, y + 14, String(Math.round(rateOf(row))), 'soft small'),
      );
      height = Math.max(height, y + BAR_STEP + 16);
    }
  }
  return svg(WIDTH, height, panels.map(([title]) => title).join('; '), content);
}

interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  readonly title: string;
  readonly about: string;
  readonly series: readonly Series[];
  readonly showX: (value: number) => string;
  /** `undefined` for a logarithmic scale. */
  readonly maxY?: number;
  readonly budget?: readonly [value: number, label: string];
}

/** How time and memory grow, by the report of the benchmark of that name. */
export function growthChart({ rows }: Report): string {
  const group = (name: string): Row[] => rows.filter((row) => row.group === name);
  const by = (from: readonly Row[], x: string, y: string): Series['points'] =>
    from.flatMap(({ figures }): [number, number][] => {
      const [across, up] = [figures[x], figures[y]];
      return across === undefined || up === undefined ? [] : [[across, up]];
    });
  const [add, get, database] = [group('Adding a file'), group('Getting a file'), group('Rows')];
  const panels: Panel[] = [
    {
      title: 'Time over size',
      about: 'ms, both scales logarithmic',
      series: [
        { name: 'add', points: by(add, 'sizeBytes', 'medianMs') },
        { name: 'get', points: by(get, 'sizeBytes', 'medianMs') },
      ],
      showX: showSize,
    },
    {
      title: 'Peak memory over size',
      about: 'MB of the process',
      series: [
        { name: 'add', points: by(add, 'sizeBytes', 'peakMemoryMB') },
        { name: 'get', points: by(get, 'sizeBytes', 'peakMemoryMB') },
      ],
      showX: showSize,
      maxY: 400,
      budget: [300, 'budget'],
    },
    {
      title: 'Time over rows',
      about: 'ms, both scales logarithmic',
      series: [
        { name: 'open', points: by(database, 'rows', 'openMs') },
        { name: 'first page', points: by(database, 'rows', 'firstPageMs') },
        { name: 'search', points: by(database, 'rows', 'searchMs') },
        { name: 'listing', points: by(database, 'rows', 'wholeMs') },
      ],
      showX: (value) =>
        value >= 1e6
          ? `${String(value / 1e6)} M`
          : value >= 1000
            ? `${String(value / 1000)} k`
            : String(value),
    },
  ];
  const height = 320;
  const content = panels.flatMap((panel, index) =>
    drawPanel(panel, (index * WIDTH) / panels.length, WIDTH / panels.length, height),
  );
  return svg(WIDTH, height, panels.map(({ title }) => title).join('; '), content);
}

function drawPanel(panel: Panel, left: number, width: number, height: number): string[] {
  const box = { left: left + 52, right: left + width - 24, top: 96, bottom: height - 36 };
  const points = panel.series.flatMap((series) => series.points);
  if (points.length === 0) return [];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const toX = scale(Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs)), box.left, box.right);
  const [bottomY, topY] = [Math.floor(Math.log10(Math.min(...ys))), Math.ceil(Math.log10(Math.max(...ys)))];
  const { maxY } = panel;
  const linear = maxY === undefined ? undefined : scale(0, maxY, box.bottom, box.top);
  const logarithmic = scale(bottomY, topY, box.bottom, box.top);
  const toY = (value: number): number => linear?.(value) ?? logarithmic(Math.log10(value));
  const ticks =
    maxY === undefined
      ? Array.from({ length: topY - bottomY + 1 }, (_, index) => 10 ** (bottomY + index))
      : Array.from({ length: 5 }, (_, index) => (maxY / 4) * index);

  const content = [
    text(left + 20, 32, panel.title, 'ink title'),
    text(left + 20, 50, panel.about, 'soft small'),
  ];
  for (const tick of ticks) {
    const label = tick.toLocaleString('en', { maximumFractionDigits: 3 });
    content.push(
      line(box.left, toY(tick), box.right, toY(tick)),
      text(box.left - 6, toY(tick) + 4, label, 'soft small', 'end'),
    );
  }
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  content.push(text(box.left, height - 14, panel.showX(first), 'soft small', 'middle'));
  content.push(text(box.right, height - 14, panel.showX(last), 'soft small', 'middle'));
  if (panel.budget !== undefined) {
    const [value, label] = panel.budget;
    content.push(
      line(box.left, toY(value), box.right, toY(value), 'budget'),
      text(box.right, toY(value) - 5, label, 'soft small', 'end'),
    );
  }
  let labelX = left + 20;
  for (const [index, { name, points: own }] of panel.series.entries()) {
    content.push(
      curve(
        own.map(([x, y]) => [toX(Math.log10(x)), toY(y)]),
        index,
      ),
    );
    content.push(
      `<g class="s${String(index)}"><circle class="dot" cx="${String(labelX + 4)}" cy="67" r="4"/></g>`,
    );
    content.push(text(labelX + 12, 71, name, 'soft small'));
    labelX += 22 + name.length * 6.3;
  }
  return content;
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => (to === from ? start : start + ((value - from) / (to - from)) * (end - start));
}

function showSize(sizeBytes: number): string {
  const mebibytes = sizeBytes / 1024 / 1024;
  return mebibytes >= 1024 ? `${String(mebibytes / 1024)} GiB` : `${String(mebibytes)} MiB`;
}

function rateOf({ figures }: Row): number {
  return figures['mbPerSecond'] ?? 0;
}
