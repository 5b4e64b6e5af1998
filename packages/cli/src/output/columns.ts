import { padText, textWidth } from './text-width.ts';

const GAP = '  ';

/** A cell: its text as it is measured, and how it is painted once it has been padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/**
 * Lays names out in as many columns as fit, filled downwards as `ls` does.
 * Returns the lines, without trailing spaces.
 */
export function layOutColumns(cells: readonly Cell[], terminalWidth: number): string[] {
  const widths = cells.map((cell) => textWidth(cell.text));
  for (let columns = Math.min(cells.length, 40); columns > 1; columns -= 1) {
    const rows = Math.ceil(cells.length / columns);
    if (Math.ceil(cells.length / rows) < columns) continue;
    const columnWidths = Array.from({ length: columns }, (_, column) =>
      Math.max(0, ...widths.slice(column * rows, (column + 1) * rows)),
    );
    const total = columnWidths.reduce((sum, width) => sum + width, GAP.length * (columns - 1));
    if (total > terminalWidth) continue;
    return Array.from({ length: rows }, (_, row) => {
      const line: string[] = [];
      for (let column = 0; column < columns; column += 1) {
        const cell = cells[column * rows + row];
        if (cell === undefined) break;
        const isLast = column === columns - 1 || cells[(column + 1) * rows + row] === undefined;
        line.push(paintCell(cell, isLast ? 0 : (columnWidths[column] ?? 0)));
      }
      return line.join(GAP);
    });
  }
  return cells.map((cell) => paintCell(cell, 0));
}

export interface TableColumn {
  readonly align?: 'left' | 'right';
}

/** Lays rows of cells out under each other. The last column is never padded. */
export function layOutTable(rows: readonly (readonly Cell[])[], columns: readonly TableColumn[]): string[] {
  const widths = columns.map((_, index) =>
    Math.max(0, ...rows.map((row) => textWidth(row[index]?.text ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const align = columns[index]?.align ?? 'left';
        const isLast = index === row.length - 1;
        return paintCell(cell, isLast && align === 'left' ? 0 : (widths[index] ?? 0), align);
      })
      .join(GAP)
      .trimEnd(),
  );
}

function paintCell({ text, paint }: Cell, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = padText(text, width).slice(text.length);
  const painted = paint === undefined ? text : paint(text);
  return align === 'left' ? painted + spaces : spaces + painted;
}
