import { expect, test } from 'vitest';
import { layOutColumns, layOutTable } from '../src/output/columns.ts';
import { fitText, padText, textWidth } from '../src/output/text-width.ts';

const cells = (...texts: string[]) => texts.map((text) => ({ text }));

test('names fill as many columns as fit, downwards', () => {
  expect(layOutColumns(cells('a', 'b', 'c', 'd', 'e'), 7)).toEqual(['a  c  e', 'b  d']);
  expect(layOutColumns(cells('alpha', 'beta', 'gamma'), 80)).toEqual(['alpha  beta  gamma']);
});

test('a name wider than the terminal stands alone', () => {
  expect(layOutColumns(cells('a-very-long-name', 'b'), 10)).toEqual(['a-very-long-name', 'b']);
  expect(layOutColumns([], 80)).toEqual([]);
});

test('no line of columns is wider than the terminal', () => {
  const names = Array.from(
    { length: 50 },
    (_, index) => 'x'.repeat((index * 7) % 13) + '日'.repeat(index % 4),
  );
  for (let width = 20; width < 120; width += 1) {
    for (const line of layOutColumns(cells(...names), width))
      expect(textWidth(line)).toBeLessThanOrEqual(width);
  }
});

test('a table pads by display width and paints after padding', () => {
  const rows = [
    [{ text: '日本', paint: (text: string) => `<${text}>` }, { text: '1' }, { text: 'x' }],
    [{ text: 'abc' }, { text: '100' }, { text: 'y' }],
  ];
  expect(layOutTable(rows, [{}, { align: 'right' }, {}])).toEqual(['<日本>    1  x', 'abc   100  y']);
});

test.each([
  ['abc', 3],
  ['日本', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['🎉', 2],
  ['👩‍👩‍👧', 2],
  ['❤️', 2],
])('%s takes %d columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('text is cut to a width with an ellipsis', () => {
  expect(fitText('abcdef', 4)).toBe('abc…');
  expect(fitText('日本語', 4)).toBe('日…');
  expect(fitText('abc', 3)).toBe('abc');
  expect(padText('ab', 4, 'right')).toBe('  ab');
});
