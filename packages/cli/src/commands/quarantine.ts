import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { ChangeCommand, RunCommand } from '../context.ts';
import { registerQuarantineAdopt } from './quarantine-adopt.ts';
import { registerQuarantineDrop } from './quarantine-drop.ts';
import { registerQuarantineLs } from './quarantine-ls.ts';

/** `coffer quarantine`: sealed files that no file of the vault names. */
export function registerQuarantine(
  program: CommandUnknownOpts,
  run: RunCommand,
  change: ChangeCommand,
): void {
  const quarantine = program
    .command('quarantine')
    .summary('sealed files that the vault does not know')
    .description(
      'A sealed file that no file of the vault names is moved to quarantine/ and kept: when an older data.db was put back, it is what was added ' +
        'since. It has no name any more, but its content can be verified and brought back.',
    )
    .helpCommand(false);
  registerQuarantineLs(quarantine, run);
  registerQuarantineAdopt(quarantine, change);
  registerQuarantineDrop(quarantine, change);
}
