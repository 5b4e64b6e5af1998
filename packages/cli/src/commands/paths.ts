import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { escapeName } from '../output/escape.ts';
import { writeProperties } from '../output/properties.ts';

/** `coffer paths`: where things are, or would be. */
export function registerPaths(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('paths')
    .summary('show where the vault is on this machine')
    .description('Shows the folder of the vault and what is where in it, whether there is a vault or not.')
    .action(() =>
      run(async (context) => {
        const { output } = context;
        const { vaultPaths } = await import('@coffer/vault');
        const paths = vaultPaths(await chooseVaultDirectory(context));
        if (output.json) {
          output.record('paths', paths);
          return undefined;
        }
        writeProperties(output, [
          ['vault', escapeName(paths.directory)],
          ['key slots', escapeName(paths.vaultFile)],
          ['their copy', escapeName(paths.vaultFileCopy)],
          ['database', escapeName(paths.database)],
          ['sealed files', escapeName(paths.files)],
          ['quarantine', escapeName(paths.quarantine)],
          ['lock', escapeName(paths.ownerLock)],
        ]);
        return undefined;
      }),
    );
}
