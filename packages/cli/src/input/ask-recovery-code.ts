import type { Terminal } from '../host.ts';
import { type AskOptions, ask, needTerminal } from './prompt.ts';

const HINT = 'give it with --recovery-code-file';

// A screen of its own, which nothing scrolls out of and which is gone afterwards.
const ENTER_SCREEN = '\u001B[?1049h';
const LEAVE_SCREEN = '\u001B[?1049l';
const CLEAR = '\u001B[2J\u001B[H';

/** Asks for the recovery code of a vault on the terminal. INPUT_NEEDED when nobody can be asked, INTERRUPTED on Ctrl-C. */
export async function askRecoveryCode(options: AskOptions, message: string): Promise<Uint8Array> {
  using terminal = needTerminal(options, 'a recovery code is needed', HINT);
  const { parseRecoveryCode } = await import('@coffer/vault');
  const typed = await askCode(terminal, options, message, (bytes) => {
    parseRecoveryCode(bytes).fill(0);
  });
  return new TextEncoder().encode(typed);
}

/**
 * Shows a new recovery code on the terminal, once and on a screen of its own, and returns when it has been typed back right. INPUT_NEEDED when nobody can be shown it,
 * INTERRUPTED on Ctrl-C.
 */
export async function showRecoveryCode(
  options: AskOptions,
  code: Uint8Array,
  fileOption: string,
): Promise<void> {
  const hint = `write it to a file with ${fileOption} FILE`;
  using terminal = needTerminal(options, 'a recovery code has to be shown', hint);
  const { parseRecoveryCode } = await import('@coffer/vault');
  const wanted = parseRecoveryCode(code);
  terminal.output.write(ENTER_SCREEN);
  try {
    await show(terminal, options, code);
    for (;;) {
      const typed = await askCode(
        terminal,
        options,
        'Type it back (leave it empty to see it again)',
        (bytes) => {
          const value = parseRecoveryCode(bytes);
          const isSame = value.every((byte, at) => byte === wanted[at]);
          value.fill(0);
          if (!isSame) throw new Error('This is another recovery code.');
        },
      );
      if (typed !== '') return;
      await show(terminal, options, code);
    }
  } finally {
    wanted.fill(0);
    terminal.output.write(LEAVE_SCREEN);
  }
}

async function show(terminal: Terminal, options: AskOptions, code: Uint8Array): Promise<void> {
  const groups = Buffer.from(code).toString('latin1').split('-');
  const lines = [groups.slice(0, 4), groups.slice(4)].map((line) => `    ${line.join(' ')}`);
  terminal.output.write(
    `${CLEAR}The recovery code opens the vault when everything else is lost. Write it down and keep it\nwhere the vault is not. It is not shown again.\n\n${lines.join('\n')}\n\n`,
  );
  const { text } = await import('@clack/prompts');
  await ask<string>(terminal, options, (common) =>
    text({ message: 'When it is written down, press Enter', defaultValue: ' ', ...common }),
  );
  terminal.output.write(CLEAR);
}

/** What was typed, after `check` took it; empty only where `check` never saw anything. */
async function askCode(
  terminal: Terminal,
  options: AskOptions,
  message: string,
  check: (typed: Uint8Array) => void,
): Promise<string> {
  const { text } = await import('@clack/prompts');
  return await ask<string>(terminal, options, (common) =>
    text({
      message,
      defaultValue: '',
      validate: (value) => {
        if (value === undefined || value === '') return undefined;
        try {
          check(new TextEncoder().encode(value));
          return undefined;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      },
      ...common,
    }),
  );
}
