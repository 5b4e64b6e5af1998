import { expect, test } from 'vitest';
import type { Terminal } from '@coffer/cli';
import { askNewPassphrase, askPassphrase, askYesNo, type AskOptions } from '../src/input/prompt.ts';
import { createTerminal } from './support/run-main.ts';

const optionsFor = (
  terminal: Terminal | undefined,
  {
    env = {},
    noInput = false,
    signal = new AbortController().signal,
  }: { env?: Record<string, string>; noInput?: boolean; signal?: AbortSignal } = {},
): AskOptions => ({ host: { env, signal, openTerminal: () => terminal }, noInput });

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

test('a passphrase is read as it is typed and never shown', async () => {
  const terminal = createTerminal(['grüße an alle\r']);
  expect(utf8(await askPassphrase(optionsFor(terminal), 'Passphrase'))).toBe('grüße an alle');
  expect(terminal.shown()).toContain('Passphrase');
  expect(terminal.shown()).not.toContain('grüße');
});

test('a new passphrase is asked for until both are alike', async () => {
  const terminal = createTerminal(['first one\r', 'other one\r', 'final one\r', 'final one\r']);
  expect(utf8(await askNewPassphrase(optionsFor(terminal), 'New passphrase'))).toBe('final one');
  expect(terminal.shown()).toContain('The two differ.');
});

test('three pairs that differ are enough', async () => {
  const terminal = createTerminal(['a\r', 'b\r', 'a\r', 'b\r', 'a\r', 'b\r']);
  await expect(askNewPassphrase(optionsFor(terminal), 'New passphrase')).rejects.toMatchObject({
    exit: 'usage',
  });
});

test('yes has to be said, Enter alone means no', async () => {
  expect(await askYesNo(optionsFor(createTerminal(['y'])), 'Remove it?')).toBe(true);
  expect(await askYesNo(optionsFor(createTerminal(['\r'])), 'Remove it?')).toBe(false);
});

test.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s interrupts', async (_name, key) => {
  await expect(askPassphrase(optionsFor(createTerminal([key])), 'Passphrase')).rejects.toMatchObject({
    exit: 'interrupted',
  });
});

test('a signal interrupts with its own reason', async () => {
  const controller = new AbortController();
  const asking = askPassphrase(optionsFor(createTerminal([]), { signal: controller.signal }), 'Passphrase');
  controller.abort(new Error('ended by a signal'));
  await expect(asking).rejects.toThrow('ended by a signal');
});

test('a terminal that goes away interrupts', async () => {
  const terminal = createTerminal([]);
  const asking = askPassphrase(optionsFor(terminal), 'Passphrase');
  setImmediate(() => terminal.input.push(null));
  await expect(asking).rejects.toMatchObject({ exit: 'interrupted' });
});

test.each([
  ['there is no terminal', undefined, {}],
  ['--no-input forbids', createTerminal([]), { noInput: true }],
  ['CI is set', createTerminal([]), { env: { CI: 'true' } }],
])('where nobody can be asked the error says why: %s', async (why, terminal, options) => {
  await expect(askPassphrase(optionsFor(terminal, options), 'Passphrase')).rejects.toMatchObject({
    exit: 'inputNeeded',
    message: expect.stringContaining(why) as string,
  });
});

test('CI=false is no CI', async () => {
  expect(await askYesNo(optionsFor(createTerminal(['y']), { env: { CI: 'false' } }), 'Go on?')).toBe(true);
});
