import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openVault, restoreVault } from '../../packages/vault/src/index.ts';
import type { Finding, VaultError } from '../../packages/vault/src/index.ts';
import type { Marks, Tally } from '../tally.ts';
import { observe, requireVaultError, withinTime } from '../vault/observe.ts';
import type { Observation } from '../vault/observe.ts';
import type { SampleBackup } from '../vault/sample-backup.ts';
import type { SampleVault } from '../vault/sample-vault.ts';

/** What a person meets who restores a backup that was damaged. */
export interface Restoring {
  readonly refusal: VaultError | undefined;
  /** What `restore` said is not whole. */
  readonly findings: readonly Finding[];
  /** The vault that was made. */
  readonly seen: Observation | undefined;
  /** Whether there is a vault, or was one for a moment, though it was refused. */
  readonly isMade: boolean;
  /** How many sealed files of the backup are neither among those of the vault nor in its quarantine. */
  readonly sealedLost: number;
}

export interface RestoreCase {
  readonly name: string;
  readonly damage: () => void;
  readonly judge: (met: Restoring) => Marks;
}

export async function runRestore(
  sample: SampleVault,
  backup: SampleBackup,
  each: RestoreCase,
  tally: Tally,
): Promise<void> {
  try {
    each.damage();
    const met = await withinTime(each.name, restore(sample, backup));
    tally.count(each.name, each.judge(met), describe(met));
  } finally {
    backup.restore();
  }
}

async function restore(sample: SampleVault, backup: SampleBackup): Promise<Restoring> {
  const { secret } = sample;
  const findings: Finding[] = [];
  try {
    const events = restoreVault({ source: backup.directory, directory: backup.restored, secret });
    for await (const event of events) if (event.type === 'finding') findings.push(event.finding);
  } catch (error) {
    const isMade = existsSync(`${backup.restored}/vault.json`);
    return { refusal: requireVaultError(error), findings, seen: undefined, isMade, sealedLost: 0 };
  }
  const vault = await openVault({ directory: backup.restored, secret });
  const seen = await observe(vault, sample.files, { mode: 'quick' });
  await vault.close().catch(requireVaultError);
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const kept = ['files', 'quarantine'].flatMap((name) => names(join(backup.restored, name)));
  const sealedLost = names(join(backup.directory, 'files')).filter((name) => !kept.includes(name)).length;
  return { refusal: undefined, findings, seen, isMade: true, sealedLost };
}

/** It says what is damaged and what to do, and there is no vault. */
export function isRestoreRefused(
  { refusal, isMade }: Restoring,
  mentions: string,
  codes: readonly string[] = ['DAMAGED'],
): Marks {
  return {
    detected: refusal !== undefined && codes.includes(refusal.code),
    named: refusal?.message.includes(mentions) === true,
    advised: refusal?.hint !== undefined || refusal?.code === 'NO_VAULT',
    othersIntact: !isMade,
    onlyAuthentic: true,
  };
}

/** Nothing is missing and nothing is said. */
export function isRestored(met: Restoring): Marks {
  return { ...isRestoredWithout(met, []), detected: met.refusal === undefined && met.findings.length === 0 };
}

/** There is a vault with everything but these files, and what is not whole was named. */
export function isRestoredWithout(
  { findings, seen }: Restoring,
  paths: readonly string[],
  mentions = '',
): Marks {
  const read = [...(seen?.files ?? [])];
  const named = findings.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const lost = read.flatMap(([path, { outcome }]) => (outcome === 'whole' ? [] : [path]));
  return {
    detected: findings.length > 0 && lost.every((path) => named.includes(path)),
    named:
      named.every((path) => paths.includes(path)) &&
      (mentions === '' || findings.some(({ message }) => message.includes(mentions))),
    advised: findings.every(({ remedy, mend }) => remedy !== '' && mend !== ''),
    othersIntact: seen !== undefined && lost.every((path) => paths.includes(path)),
    onlyAuthentic: read.every(([, { outcome }]) => outcome !== 'wrong'),
  };
}

/** The database had damaged pages, and was made anew from what is left of it: every sealed file is there, if only in quarantine, and every file with a name is whole or named. */
export function isRebuilt({ findings, seen, sealedLost }: Restoring): Marks {
  const read = [...(seen?.files ?? [])];
  const unreadable = findings.find(({ code }) => code === 'PAGE_DAMAGED');
  const named = findings.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const damaged = read.flatMap(([path, { error }]) => (error?.code === 'DAMAGED' ? [path] : []));
  return {
    detected: unreadable !== undefined,
    named: unreadable?.message.includes('data.db') === true && damaged.every((path) => named.includes(path)),
    advised: findings.every(({ remedy, mend }) => remedy !== '' && mend !== ''),
    othersIntact: seen !== undefined && seen.checkError === undefined && sealedLost === 0,
    onlyAuthentic: read.every(([, { outcome }]) => outcome !== 'wrong'),
  };
}

function describe({ refusal, findings, seen }: Restoring): string {
  if (refusal !== undefined) return `${refusal.code}: ${refusal.message} (${refusal.hint ?? ''})`;
  const read = [...(seen?.files ?? [])].filter(([, { outcome }]) => outcome !== 'whole');
  const said = read.map(([path, { outcome }]) => `${path} ${outcome}`);
  return [...said, ...findings.map(({ code, path, message }) => `${code} ${path ?? message}`)].join('; ');
}
