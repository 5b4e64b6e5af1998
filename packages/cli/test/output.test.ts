import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { CliError } from '../src/cli-error.ts';
import { describeFailure } from '../src/failure.ts';
import { Output, type OutputOptions } from '../src/output/output.ts';
import { createStyle } from '../src/output/style.ts';
import { parseLines, Sink } from './support/run-main.ts';

const open = (options: Partial<OutputOptions> = {}, stdout: Sink | Writable = new Sink(), env = {}) => {
  const stderr = new Sink();
  const output = new Output(
    { stdout, stderr, env },
    { json: false, quiet: false, verbose: false, color: 'auto', ...options },
  );
  return { output, stdout, stderr };
};

const failure = describeFailure(new CliError('USAGE', 'no\u001B[31m good', { hint: 'do better' }));

test('a failure is one error line and one hint line, escaped', () => {
  const { output, stderr } = open();
  output.failure(failure);
  expect(stderr.text).toBe('coffer: error: no\\x1b[31m good\ncoffer: hint: do better\n');
});

test('a failure of one of several items begins with the item, unless its message names it', () => {
  const { output, stderr } = open();
  output.failure(describeFailure(new CliError('NOT_FOUND', 'is not there')), 'a.txt');
  output.failure(describeFailure(new CliError('NOT_FOUND', 'a.txt is not there')), 'a.txt');
  expect(stderr.text).toBe('coffer: error: a.txt: is not there\ncoffer: error: a.txt is not there\n');
});

test('with --json a failure is one object with its exit code', () => {
  const { output, stderr } = open({ json: true });
  output.failure(failure, 'a.txt');
  expect(parseLines(stderr.text)).toEqual([
    {
      v: 1,
      type: 'error',
      code: 'USAGE',
      message: 'no\u001B[31m good',
      hint: 'do better',
      item: 'a.txt',
      exitCode: 2,
    },
  ]);
});

test('-q leaves data, warnings and errors', () => {
  const { output, stdout, stderr } = open({ quiet: true });
  output.info('Added 1 file.');
  output.warning('a copy is damaged');
  output.line('data');
  output.failure(failure);
  expect((stdout as Sink).text).toBe('data\n');
  expect(stderr.text).not.toContain('Added');
  expect(stderr.text).toContain('coffer: warning: a copy is damaged\n');
});

test('-v says what caused an error', () => {
  const { output, stderr } = open({ verbose: true });
  output.failure(describeFailure(new CliError('UNEXPECTED', 'failed', { cause: new Error('EIO: disk') })));
  expect(stderr.text).toContain('EIO: disk');
});

test('a reader that goes away is no error, and later data is dropped', async () => {
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const { output } = open({}, stdout);
  output.line('one');
  await output.flush();
  await output.bytes(new Uint8Array(10));
  expect([output.isClosed, output.writeError]).toEqual([true, undefined]);
});

test('a full disk is an error', async () => {
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    },
  });
  const { output } = open({}, stdout);
  await output.bytes(new Uint8Array(10));
  expect(output.writeError?.message).toBe('no space');
});

test.each([
  ['a terminal', { color: 'auto', isTerminal: true, env: {} }, true],
  ['a pipe', { color: 'auto', isTerminal: false, env: {} }, false],
  ['NO_COLOR', { color: 'auto', isTerminal: true, env: { NO_COLOR: '1' } }, false],
  ['an empty NO_COLOR', { color: 'auto', isTerminal: true, env: { NO_COLOR: '' } }, true],
  ['a dumb terminal', { color: 'auto', isTerminal: true, env: { TERM: 'dumb' } }, false],
  ['FORCE_COLOR in a pipe', { color: 'auto', isTerminal: false, env: { FORCE_COLOR: '1' } }, true],
  ['FORCE_COLOR=0', { color: 'auto', isTerminal: true, env: { FORCE_COLOR: '0' } }, false],
  ['--color always against NO_COLOR', { color: 'always', isTerminal: false, env: { NO_COLOR: '1' } }, true],
  ['--color never', { color: 'never', isTerminal: true, env: { FORCE_COLOR: '1' } }, false],
] as const)('colour for %s: %o', (_name, options, isOn) => {
  expect(createStyle(options).red('x') !== 'x').toBe(isOn);
});

test('the same hint is said once', () => {
  const { output, stderr } = open();
  output.failure(failure, 'a');
  output.failure(failure, 'b');
  expect(stderr.text.match(/coffer: hint: /g)).toHaveLength(1);
  expect(stderr.text.match(/coffer: error: /g)).toHaveLength(2);
});
