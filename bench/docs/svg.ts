/** Small pieces of SVG. Colours are classes, so that a chart follows the reader's light or dark theme. */
const STYLE = `
  .surface { fill: #fcfcfb } .ink { fill: #0b0b0b } .soft { fill: #52514e } .grid { stroke: #e1e0d9 }
  .coffer { fill: #2a78d6 } .peer { fill: #a3a29b } .limit { fill: #dcdbd3 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round } .budget { stroke: #52514e; stroke-dasharray: 4 4 }
  .s0 { stroke: #2a78d6; color: #2a78d6 } .s1 { stroke: #eb6834; color: #eb6834 }
  .s2 { stroke: #1baf7a; color: #1baf7a } .s3 { stroke: #4a3aa7; color: #4a3aa7 }
  .dot { fill: currentColor; stroke: none }
  text { font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px } .small { font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .surface { fill: #1a1a19 } .ink { fill: #ffffff } .soft { fill: #c3c2b7 } .grid { stroke: #2c2c2a }
    .coffer { fill: #3987e5 } .peer { fill: #6f6e69 } .limit { fill: #3a3a37 } .budget { stroke: #c3c2b7 }
    .s0 { stroke: #3987e5; color: #3987e5 } .s1 { stroke: #d95926; color: #d95926 }
    .s2 { stroke: #199e70; color: #199e70 } .s3 { stroke: #9085e9; color: #9085e9 }
  }`;

export function svg(width: number, height: number, title: string, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" role="img" aria-label="${escape(title)}">
<style>${STYLE}
</style>
<rect class="surface" width="${String(width)}" height="${String(height)}" rx="8"/>
${content.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, content: string, classes = 'ink', anchor = 'start'): string {
  return `<text x="${place(x)}" y="${place(y)}" class="${classes}" text-anchor="${anchor}">${escape(content)}</text>`;
}

export function bar(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect class="${kind}" x="${place(x)}" y="${place(y)}" width="${place(Math.max(width, 1))}" height="${place(height)}" rx="3"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, classes = 'grid'): string {
  return `<line class="${classes}" x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}"/>`;
}

export function curve(points: readonly (readonly [x: number, y: number])[], series: number): string {
  const path = points.map(([x, y]) => `${place(x)},${place(y)}`).join(' ');
  const dots = points.map(([x, y]) => `<circle class="dot" cx="${place(x)}" cy="${place(y)}" r="3"/>`);
  return `<g class="s${String(series)}"><polyline class="line" points="${path}"/>${dots.join('')}</g>`;
}

function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
