import { randomBytes } from 'node:crypto';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { SlotSecret } from '@coffer/vault';
import { CliError, usageError } from '../cli-error.ts';
import type { Context, RunCommand } from '../context.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { type NewSecretSource, chooseFirstSecretSource } from '../input/secret-source.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { type NewRecoveryCode, checkRecoveryCodePlace, makeRecoveryCode } from '../new-recovery-code.ts';
import { getNewSecret } from '../new-secret.ts';
import { forgetSecret } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';

interface InitOptions {
  readonly keychain?: true | undefined;
  readonly recovery?: boolean | undefined;
}

type FirstSource = NewSecretSource | { readonly kind: 'keychain' };

/** `coffer init`: makes a vault and its first key slots. */
export function registerInit(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('init')
    .summary('make a vault')
    .description(
      'Makes a vault in the folder of --vault. It opens with a passphrase (asked for twice, or from a passphrase option), with the key file of --keyfile, which is ' +
        "made if it is not there, or by itself with the operating system's keychain. The folder must be empty or not there.\n\n" +
        'A recovery code opens the vault when everything else is lost. Who is asked for a passphrase, or uses the keychain, is shown one and types it back; ' +
        '--recovery-code-file FILE writes it to a new file instead, also where nothing is asked.',
    )
    .option('--keychain', "the vault opens with a key in the operating system's keychain")
    .option('--recovery', 'make a recovery code also where a passphrase option or --keyfile is given')
    .option('--no-recovery', 'make no recovery code')
    .addHelpText(
      'after',
      '\nExamples:\n  coffer init\n  coffer init --keychain\n  coffer init --vault /mnt/usb/coffer --keyfile ~/coffer.key --recovery-code-file ~/code.txt',
    )
    .action((options: InitOptions) =>
      run(async (context) => {
        const { output } = context;
        const directory = await chooseVaultDirectory(context);
        const { createVault, readVaultSlots } = await import('@coffer/vault');
        const isVault = async (): Promise<boolean> =>
          await readVaultSlots(directory).then(
            () => true,
            () => false,
          );
        // Nobody types a new passphrase twice to hear that there is a vault already.
        if (await isVault()) {
          const hint = 'choose another folder with --vault DIR';
          throw new CliError('EXISTS', `there is a vault already in ${directory}`, { hint });
        }
        const source = chooseSource(context, options);
        const hasCode = wantsRecoveryCode(context, options, source);
        const vaultId = randomBytes(16).toString('hex');
        const place = {
          path: context.globals.recoveryCodeFile,
          option: '--recovery-code-file',
          directory,
          vaultId,
        };
        if (hasCode) checkRecoveryCodePlace(context, place);
        const secret: SlotSecret = source.kind === 'keychain' ? source : await getNewSecret(context, source);
        let made: NewRecoveryCode | undefined;
        try {
          made = hasCode ? await makeRecoveryCode(context, place) : undefined;
          context.signal.throwIfAborted();
          await using vault = await createVault({
            directory,
            secret,
            vaultId,
            keychainTimeoutMs: keychainTimeoutMs(context.ask),
            signal: context.signal,
            ...(made === undefined ? {} : { recoveryCode: made.code }),
          });
          const slots = vault.slots();
          if (output.json) {
            for (const slot of slots) output.record('slot', slotRecord(slot));
            output.record('summary', { command: 'init', directory, vaultId: vault.vaultId });
          } else {
            output.info(`Made a vault in ${directory}`);
            for (const warning of vault.warnings) output.warning(warning);
            output.hint(adviceOf(secret, made !== undefined));
          }
          return undefined;
        } catch (error) {
          // It opens nothing, and its name should be free for the next try.
          if (!(await isVault())) await made?.discard();
          throw error;
        } finally {
          made?.[Symbol.dispose]();
          forgetSecret(secret);
        }
      }),
    );
}

function chooseSource({ globals, host }: Context, { keychain }: InitOptions): FirstSource {
  const given = chooseFirstSecretSource(globals, keychain === true ? {} : host.env);
  if (keychain !== true) return given;
  if (given.kind === 'ask') return { kind: 'keychain' };
  throw usageError(
    `--keychain and --${given.kind} can't be used together`,
    'make the vault with one of them, and add the other with `coffer key add`',
  );
}

function wantsRecoveryCode({ globals }: Context, options: InitOptions, source: FirstSource): boolean {
  const isFile = globals.recoveryCodeFile !== undefined;
  if (options.recovery !== false) {
    return isFile || options.recovery === true || source.kind === 'ask' || source.kind === 'keychain';
  }
  if (isFile) throw usageError("--no-recovery and --recovery-code-file can't be used together");
  if (source.kind !== 'keychain') return false;
  throw usageError(
    'the keychain cannot be the only thing that opens a vault: it is lost with its machine',
    'leave --no-recovery away, or make the vault with a passphrase and add the keychain with `coffer key add --keychain`',
  );
}

function adviceOf(secret: SlotSecret, hasCode: boolean): string {
  if (hasCode) return 'nobody can open the vault without what you have chosen and written down';
  const what = secret.kind === 'passphrase' ? 'the passphrase' : 'the key file';
  return `nobody can open the vault without ${what}; \`coffer key recovery\` makes a recovery code`;
}
