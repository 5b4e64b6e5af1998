import type { RestoreSummary } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { resolve } from 'node:path';
import { type Context, type RunCommand, showProgress } from '../context.ts';
import { exitCode } from '../exit-codes.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { useSecret } from '../open-vault.ts';
import { writeFinding } from '../output/finding-lines.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDate, formatDuration, formatSize } from '../output/format.ts';

/** `coffer restore`: a vault from a backup. */
export function registerRestore(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('restore')
    .summary('make a vault of a backup')
    .description(
      'Makes a vault, in the folder of --vault, of the backup in SRC. The folder is made, or has to be empty (else exit 16). The secret is ' +
        'that of the backup, and opens the restored vault. Everything is read and verified before the folder becomes a vault: what is damaged is named, and restored as ' +
        'far as it goes (exit 3). Nothing in SRC is changed. An interrupted restore goes on when it is repeated.',
    )
    .argument('<src>', 'the folder of the backup')
    .option('--no-verify', 'do not read what was restored')
    .addHelpText(
      'after',
      '\nExamples:\n  coffer restore /mnt/usb/coffer\n  coffer restore /mnt/usb/coffer --vault ~/restored',
    )
    .action((source, { verify }) => run((context) => restore(context, resolve(source), verify)));
}

async function restore(context: Context, source: string, verify: boolean): Promise<number> {
  const { output, host, globals, signal } = context;
  const directory = await chooseVaultDirectory(context);
  const { checkRestore, restoreVault } = await import('@coffer/vault');
  // Nobody types a passphrase to hear that there is nothing to restore, or no place for it.
  await checkRestore({ source, directory });
  // It is the backup that the secret opens.
  const ofBackup = { ...context, globals: { ...globals, vault: source } };
  let startMs = host.now();
  const summary = await useSecret(ofBackup, async (secret): Promise<RestoreSummary | undefined> => {
    // Not counting the time that somebody took to type.
    startMs = host.now();
    using progress = await showProgress(context, 'restore');
    const timeout = keychainTimeoutMs(context.ask);
    const events = restoreVault({
      source,
      directory,
      secret,
      verify,
      signal,
      keychainTimeoutMs: timeout,
      onProgress: progress.update,
    });
    for await (const event of events) {
      if (event.type === 'summary') return event;
      writeFinding(output, event.finding, host.now());
    }
    return undefined;
  });
  if (summary === undefined) throw new Error('restoring ends with a summary');
  const { files, sizeBytes, findings, verified, madeAtMs } = summary;
  const seconds = (host.now() - startMs) / 1000;
  if (output.json) {
    output.record('summary', {
      command: 'restore',
      directory,
      files,
      sizeBytes,
      madeAtMs,
      verified,
      findings,
      seconds,
    });
  } else {
    const head = `Restored ${formatCount(files, 'file')}, ${formatSize(sizeBytes)}, to ${escapeName(directory)}, in ${formatDuration(seconds)}`;
    const state = `the vault as it was ${formatDate(madeAtMs, host.now())}`;
    const result = verified
      ? findings === 0
        ? ', verified'
        : `, ${formatCount(findings, 'finding')}`
      : ', not verified';
    output.info(`${head}: ${state}${result}.`);
  }
  return exitCode(findings === 0 ? 'done' : 'someFailed');
}
