import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { VaultClient } from '@coffer/host';
import type {
  KeyEpoch,
  ReadOnlyReason,
  RollbackState,
  RotationState,
  SlotInfo,
  VaultStatus,
} from '@coffer/vault';
import type { Context, RunCommand } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { chooseSecretSource } from '../input/secret-source.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDate, formatDuration, formatSize } from '../output/format.ts';
import { writeProperties } from '../output/properties.ts';
import { agentRecord, slotRecord } from '../output/records.ts';
import { slotLabel } from '../output/slot-label.ts';

const ROLLBACK: Readonly<Record<RollbackState, string>> = {
  none: 'an older copy that is put back would not be noticed on this machine',
  kept: 'an older copy that is put back is noticed',
  unknown: 'the keychain is locked or did not answer; it was not looked for an older copy',
  behind: 'this is an older copy that was put back',
};

const READ_ONLY: Readonly<Record<ReadOnlyReason, string>> = {
  disk: 'none: it is on a read-only disk',
  rights: 'none: this user may not write to it',
};

/** `coffer status`: what the vault holds. */
export function registerStatus(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('status')
    .summary('show what the vault holds')
    .description(
      'Shows how many files the vault holds, what they take on disk, which formats it uses, and the agent that has it open. Where there is no agent, no secret is given and nobody ' +
        'can be asked (nobody is with --json), it says that the vault is locked, and which key slots it has.',
    )
    .action(() =>
      run(async (context) => {
        const { output, host } = context;
        await using vault = await openUnlessLocked(context);
        if (vault === undefined) {
          await writeLocked(context);
          return undefined;
        }
        const { signal } = context;
        const [status, slots, agent, keyEpochs] = await Promise.all([
          vault.status(),
          vault.slots(),
          vault.agentState(),
          vault.keyEpochs({ signal }),
        ]);
        for (const warning of agent?.warnings ?? []) output.warning(warning);
        if (output.json) {
          const record = {
            locked: agent === undefined,
            ...status,
            keySlots: slots.map(slotRecord),
            keyEpochs,
          };
          output.record('status', agent === undefined ? record : { ...record, agent: agentRecord(agent) });
          return undefined;
        }
        writeProperties(output, [
          ['vault', escapeName(status.directory)],
          ...(status.backupMadeAtMs === undefined
            ? []
            : [['backup of', formatDate(status.backupMadeAtMs, host.now())] as const]),
          ...(status.readOnly === undefined ? [] : [['changes', READ_ONLY[status.readOnly]] as const]),
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
              : output.style.red(formatCount(status.damagedFiles, 'file')) + seenText(status, host.now()),
          ],
          ['key slots', describeSlots(slots)],
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

/** The vault; `undefined` when it would take a secret that nobody gives. With --json nobody is asked: a program wants to know. */
async function openUnlessLocked(context: Context): Promise<VaultClient | undefined> {
  const { output, globals, host, ask } = context;
  try {
    return await openVaultFor(output.json ? { ...context, ask: { ...ask, noInput: true } } : context);
  } catch (error) {
    const { code, exit, hint } = describeFailure(error);
    const isSecretMissing = exit === 'inputNeeded' || code.startsWith('KEYCHAIN_');
    if (!isSecretMissing || chooseSecretSource(globals, host.env).kind !== 'ask') throw error;
    if (hint !== undefined) output.hint(hint);
    return undefined;
  }
}

async function writeLocked(context: Context): Promise<void> {
  const { output } = context;
  const directory = await chooseVaultDirectory(context);
  const { checkNotOpen, readVaultSlots } = await import('@coffer/vault');
  const { formatVersion, vaultId, slots, warnings } = await readVaultSlots(directory);
  checkNotOpen(directory);
  for (const warning of warnings) output.warning(warning);
  if (output.json) {
    const keySlots = slots.map(slotRecord);
    output.record('status', {
      locked: true,
      vaultId,
      directory,
      formatVersion,
      slots: slots.length,
      keySlots,
    });
    return;
  }
  writeProperties(output, [
    ['vault', escapeName(directory)],
    ['key slots', describeSlots(slots)],
    ['agent', 'none: the vault is locked'],
    ['formats', `vault ${String(formatVersion)}`],
  ]);
}

/** `, the first seen today 14:03` */
function seenText({ damagedSinceMs }: VaultStatus, nowMs: number): string {
  return damagedSinceMs === undefined ? '' : `, the first seen ${formatDate(damagedSinceMs, nowMs)}`;
}

/** `2: passphrase desk, recovery` */
function describeSlots(slots: readonly SlotInfo[]): string {
  const names = slots.map(({ kind, label }) => (label === undefined ? kind : `${kind} ${slotLabel(label)}`));
  return `${String(slots.length)}: ${names.join(', ')}`;
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
