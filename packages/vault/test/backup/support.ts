import { openVault } from '../../src/index.ts';
import type { BackupEvent, BackupSummary, Vault } from '../../src/index.ts';
import type { TestVault } from '../vault/test-vault.ts';

/** The last event of a backup. */
export function summaryOf(events: readonly BackupEvent[]): BackupSummary {
  const last = events.at(-1);
  if (last?.type !== 'summary')
    throw new Error(`a backup ends with its summary, not with ${last?.type ?? 'nothing'}`);
  return last;
}

/** Opens a backup of a vault for as long as `look` takes. */
export async function openBackup(
  { secret }: Pick<TestVault, 'secret'>,
  directory: string,
  look: (backup: Vault) => Promise<void> | void,
): Promise<void> {
  await using backup = await openVault({ directory, secret });
  await look(backup);
}
