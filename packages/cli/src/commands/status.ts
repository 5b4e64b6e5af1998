import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { KeyEpoch, RollbackState, RotationState } from '@coffer/vault';
import type { RunCommand } from '../context.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDate, formatDuration, formatSize } from '../output/format.ts';
import { writeProperties } from '../output/properties.ts';
import { agentRecord } from '../output/records.ts';

const ROLLBACK: Readonly<Record<RollbackState, string>> = {
  none: 'an older copy that is put back would not be noticed on this machine',
  kept: 'an older copy that is put back is noticed',
  unknown: 'the keychain is locked or did not answer; it was not looked for an older copy',
  behind: 'this is an older copy that was put back',
};

/** `coffer status`: what the vault holds. */
export function registerStatus(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('status')
    .summary('show what the vault holds')
    .description(
      'Shows how many files the vault holds, what they take on disk, which formats it uses, and the agent that has it open.',
    )
    .action(() =>
      run(async (context) => {
        const { output, host } = context;
        await using vault = await openVaultFor(context);
        const { signal } = context;
        const [status, agent, keyEpochs] = await Promise.all([
          vault.status(),
          vault.agentState(),
          vault.keyEpochs({ signal }),
        ]);
        for (const warning of agent?.warnings ?? []) output.warning(warning);
        if (output.json) {
          const record = { ...status, keyEpochs };
          output.record('status', agent === undefined ? record : { ...record, agent: agentRecord(agent) });
          return undefined;
        }
        writeProperties(output, [
          ['vault', escapeName(status.directory)],
          ...(status.backupMadeAtMs === undefined
            ? []
            : [['backup of', formatDate(status.backupMadeAtMs, host.now())] as const]),
          ['holds', `${formatCount(status.files, 'file')}, ${formatSize(status.sizeBytes)}`],
          [
            'kept',
            `${formatCount(status.blobFiles, 'file')} in the database, ${String(status.sealedFiles)} sealed`,
          ],
          ['database', formatSize(status.databaseSizeBytes)],
          [
            'damaged',
            status.damagedFiles === 0
              ? 'none known'
              : output.style.red(formatCount(status.damagedFiles, 'file')),
          ],
          ['key slots', String(status.slots)],
          ['rollback', ROLLBACK[status.rollback]],
          ['key epochs', describeEpochs(keyEpochs, status.rotation)],
          [
            'agent',
            agent === undefined
              ? 'none: opened for this command'
              : `${String(agent.pid)}, until ${formatDate(agent.untilMs, host.now())}${idleText(agent.idleMs)}`,
          ],
          ['formats', `vault ${String(status.formatVersion)}, database ${String(status.schemaVersion)}`],
        ]);
        return undefined;
      }),
    );
}

/** `2: 30 files, 1: 12 files; …` */
function describeEpochs(epochs: readonly KeyEpoch[], rotation: RotationState): string {
  const counts = epochs.map(
    ({ epoch, files }) =>
      `${epoch === undefined ? 'not readable' : String(epoch)}: ${formatCount(files, 'sealed file')}`,
  );
  return counts.join(', ') + (rotation === 'none' ? '' : ROTATIONS[rotation]);
}

const ROTATIONS: Readonly<Record<Exclude<RotationState, 'none'>, string>> = {
  database: '; a rotation is not finished, and the database is under the old key',
  headers: '; a rotation is not finished',
  reseal: '; sealing files again is not finished',
};

function idleText(idleMs: number | undefined): string {
  return idleMs === undefined ? '' : `, or ${formatDuration(idleMs / 1000)} after the last command`;
}
