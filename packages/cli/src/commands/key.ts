import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { registerKeyAdd } from './key-add.ts';
import { registerKeyLs } from './key-ls.ts';
import { registerKeyPasswd } from './key-passwd.ts';
import { registerKeyRm } from './key-rm.ts';

/** `coffer key`: the passphrases and key files that open the vault. */
export function registerKey(program: CommandUnknownOpts, run: RunCommand): void {
  const key = program
    .command('key')
    .summary('the passphrases and key files that open the vault')
    .description(
      'A vault has one or more key slots; each opens it with a passphrase or a key file of its own.',
    )
    .helpCommand(false);
  registerKeyLs(key, run);
  registerKeyAdd(key, run);
  registerKeyRm(key, run);
  registerKeyPasswd(key, run);
}
