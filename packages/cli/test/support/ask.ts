// A small program that asks on the terminal, for tests of the prompt without a vault.
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { CliError } from '../../src/cli-error.ts';
import { exitCode } from '../../src/exit-codes.ts';
import { askNewPassphrase, askPassphrase } from '../../src/input/prompt.ts';
import { openTerminal } from '../../src/input/terminal.ts';

if (process.env['IGNORE_HANGUP'] === '1') process.on('SIGHUP', () => undefined);
const host = {
  env: process.env,
  signal: new AbortController().signal,
  openTerminal: () => openTerminal(process.platform),
};
const ask = process.argv[2] === 'new' ? askNewPassphrase : askPassphrase;
try {
  const passphrase = await ask({ host, noInput: false }, 'Secret');
  process.stdout.write(`${Buffer.from(passphrase).toString('utf8')}; stdin: ${await text(process.stdin)}`);
} catch (error) {
  process.exit(error instanceof CliError ? exitCode(error.exit) : 1);
}
