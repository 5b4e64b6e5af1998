import { expect, test } from 'vitest';
import { Output } from '../src/output/output.ts';
import { drawBar } from '../src/output/progress-bar.ts';
import {
  createProgressView,
  describeProgress,
  type Progress,
  type ProgressChoice,
} from '../src/output/progress.ts';
import { textWidth } from '../src/output/text-width.ts';
import { parseLines, Sink } from './support/run-main.ts';

const half: Progress = {
  bytesDone: 12e6,
  bytesTotal: 48e6,
  fraction: 0.25,
  bytesPerSecond: 40e6,
  secondsLeft: 3,
  filesDone: 12,
  filesTotal: 48,
  current: 'photos/beach.jpg',
};
const unknown: Progress = {
  ...half,
  bytesTotal: undefined,
  fraction: undefined,
  secondsLeft: undefined,
  filesDone: 0,
  filesTotal: undefined,
};

/** Plays 100 reports, one every 50 ms. */
const play = async (
  choice: ProgressChoice,
  { isTerminal = false, json = false, quiet = false, env = {} } = {},
): Promise<Sink> => {
  const stderr = new Sink(isTerminal ? 80 : undefined);
  const output = new Output(
    { stdout: new Sink(), stderr, env },
    { json, quiet, verbose: false, color: 'never' },
  );
  let nowMs = 0;
  using view = await createProgressView(choice, { output, host: { env, now: () => nowMs }, command: 'add' });
  for (let step = 0; step < 100; step += 1) {
    nowMs = step * 50;
    view.update({ ...half, filesDone: step });
  }
  return stderr;
};

test('the parts that are known are said', () => {
  expect(describeProgress(half)).toEqual([
    '12 MB of 48 MB',
    '25 %',
    '40 MB/s',
    '3.0 s left',
    '12 of 48 files',
  ]);
  expect(describeProgress(unknown)).toEqual(['12 MB', '40 MB/s']);
});

test('the bar is one line that fits the terminal, with names escaped', () => {
  const line = drawBar({ ...half, current: 'a\u001B[2J' + 'x'.repeat(200) }, 100);
  expect(textWidth(line)).toBeLessThan(100);
  expect(line).toContain(String.raw`a\x1b[2J`);
  expect(line).toContain('██████░░░');
  expect(drawBar(unknown, 80)).toBe('12 MB  40 MB/s  photos/beach.jpg');
});

test('json reports at most 10 times a second, and how it ended', async () => {
  const records = parseLines((await play('json')).text);
  expect(records.length).toBeLessThanOrEqual(51);
  expect(records[0]).toMatchObject({
    v: 1,
    type: 'progress',
    command: 'add',
    bytesTotal: 48e6,
    filesDone: 0,
  });
  expect(records.at(-1)).toMatchObject({ filesDone: 99 });
});

test('plain is a line a second after the first second', async () => {
  const lines = (await play('plain')).text.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(5);
  expect(lines[0]).toBe('add: 12 MB of 48 MB, 25 %, 40 MB/s, 3.0 s left, 20 of 48 files');
});

test.each([
  ['a pipe', {}],
  ['--json', { isTerminal: true, json: true }],
  ['-q', { isTerminal: true, quiet: true }],
  ['a dumb terminal', { isTerminal: true, env: { TERM: 'dumb' } }],
])('auto is silent for %s', async (_name, options) => {
  expect((await play('auto', options)).text).toBe('');
});

test('auto draws a bar on a terminal and takes it away at the end', async () => {
  const screen = (await play('auto', { isTerminal: true })).text;
  expect(screen).toContain('12 MB of 48 MB');
  // The cursor is shown again and the line is cleared.
  expect(screen.lastIndexOf('\u001B[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001B[?25l'));
  expect(screen.endsWith('\u001B[2K')).toBe(true);
});

test('none is silent', async () => {
  expect((await play('none', { isTerminal: true })).text).toBe('');
});
