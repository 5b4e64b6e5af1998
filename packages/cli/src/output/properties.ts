import { layOutTable } from './columns.ts';
import type { Output } from './output.ts';

/** Writes names and values under each other. Values have been escaped by the caller. */
export function writeProperties(
  output: Output,
  properties: readonly (readonly [name: string, value: string])[],
): void {
  const { dim } = output.style;
  const rows = properties.map(([name, value]) => [{ text: name, paint: dim }, { text: value }]);
  for (const line of layOutTable(rows, [{}, {}])) output.line(line);
}
