import type { RebuildSummary, RebuiltFile, SlotSecret } from '@coffer/vault';
import { showProgress } from '../context.ts';
import type { Context } from '../context.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount } from '../output/format.ts';

/** What became of a file, in the order in which it is told. */
const OUTCOMES = {
  withoutContent: 'its content, or a part of it, is lost',
  withNewNames: 'its name was lost: this is a new one',
} as const;

/** `coffer doctor --rebuild`: a new database of what can be read of a damaged one. */
export async function rebuildDatabase(context: Context, secret: SlotSecret): Promise<void> {
  const { output, host, signal } = context;
  const directory = await chooseVaultDirectory(context);
  const { rebuildVault } = await import('@coffer/vault');
  const summary = await rebuild();
  for (const outcome of ['withoutContent', 'withNewNames'] as const)
    for (const file of summary[outcome]) writeFile(context, file, outcome);
  const { isRebuilt, files, pageCount, damagedPages, keptPath } = summary;
  if (output.json) {
    output.record('rebuilt', { rebuilt: isRebuilt, files, pages: pageCount, damagedPages, keptPath });
  } else if (!isRebuilt) {
    output.info('Nothing is wrong with the database: it was not rebuilt.');
  } else {
    const damaged = `${formatCount(damagedPages.length, 'damaged page')} of ${String(pageCount)}`;
    const kept = keptPath === undefined ? '' : ` What was there is kept as ${escapeName(keptPath)}.`;
    output.info(`Rebuilt the database, ${damaged}: ${formatCount(files, 'file')}.${kept}`);
  }

  async function rebuild(): Promise<RebuildSummary> {
    using progress = await showProgress(context, 'doctor');
    return await rebuildVault({
      directory,
      secret,
      signal,
      keychainTimeoutMs: keychainTimeoutMs(context.ask),
      nowMs: () => host.now(),
      onProgress: progress.update,
    });
  }
}

function writeFile({ output }: Context, { id, path }: RebuiltFile, outcome: keyof typeof OUTCOMES): void {
  if (output.json) output.record('file', { action: ACTIONS[outcome], id, path });
  else output.line(`${escapeName(path)}: ${OUTCOMES[outcome]}`);
}

const ACTIONS: Readonly<Record<keyof typeof OUTCOMES, string>> = {
  withoutContent: 'content lost',
  withNewNames: 'renamed',
};
