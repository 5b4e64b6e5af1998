import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { ChangeCommand, RunCommand } from '../context.ts';
import { registerKeyAcceptRollback } from './key-accept-rollback.ts';
import { registerKeyAdd } from './key-add.ts';
import { registerKeyKeychain } from './key-keychain.ts';
import { registerKeyLs } from './key-ls.ts';
import { registerKeyPasswd } from './key-passwd.ts';
import { registerKeyRecovery } from './key-recovery.ts';
import { registerKeyRotate } from './key-rotate.ts';
import { registerKeyRm } from './key-rm.ts';

/** `coffer key`: what opens the vault. */
export function registerKey(program: CommandUnknownOpts, run: RunCommand, change: ChangeCommand): void {
  const key = program
    .command('key')
    .summary('what opens the vault: passphrases, key files, keychain, recovery code')
    .description(
      "A vault has one or more key slots; each opens it with a passphrase, a key file, the operating system's keychain or a recovery code.",
    )
    .helpCommand(false);
  registerKeyLs(key, run);
  registerKeyAdd(key, change);
  registerKeyRm(key, change);
  registerKeyPasswd(key, change);
  registerKeyRotate(key, change);
  registerKeyRecovery(key, change);
  registerKeyKeychain(key, run);
  registerKeyAcceptRollback(key, change);
}
