import { DatabaseError } from '@coffer/database';
import { StorageError } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { saysBackup } from '../backup/marker.ts';
import { vaultPaths } from '../paths.ts';
import { toVaultError } from '../to-vault-error.ts';
import { missingIn } from './doctor-vault.ts';
import type { DoctorEvent, DoctorOptions } from './doctor-vault.ts';
import { examineFolder, keepsClosed } from './examine-folder.ts';
import type { Machine } from './examine-folder.ts';
import { toFinding } from './finding.ts';
import type { Finding } from './finding.ts';
import { fixFolder } from './fix-folder.ts';
import { restoreFrom } from './kinds/mends.ts';

export type DiagnoseEvent =
  | DoctorEvent
  /** With `dryRun`: what fixing would put right. */
  | { readonly type: 'planned'; readonly finding: Finding }
  | {
      readonly type: 'summary';
      /** How many are left. */
      readonly findings: number;
      readonly fixed: number;
      /** Whether the vault was opened and looked at inside. */
      readonly isOpened: boolean;
    };

/** An open vault, wherever it is open. */
export interface DoctorClient extends AsyncDisposable {
  doctor(options: DoctorOptions): AsyncGenerator<DoctorEvent, void, undefined>;
}

export interface DiagnoseOptions {
  readonly directory: string;
  /**
   * Opens the vault, to look inside; `undefined` when nobody can give its secret. Called once what is in the folder has been looked at, and not when that
   * keeps the vault closed.
   */
  readonly open: () => Promise<DoctorClient | undefined>;
  /** Do what is safe. Opening a vault does some of it in any case. */
  readonly fix?: boolean;
  /** With `fix`: only say what would be done. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly machine?: Partial<Machine>;
}

/**
 * Says what is wrong with a vault, also one that does not open and one that nobody has the secret of: what was put right first, then what is left. Never
 * removes or changes a file of the vault. Throws `NO_VAULT`, `TOO_NEW`, and what `open` throws, unless that is that the vault is damaged or in use.
 */
export async function* diagnose(options: DiagnoseOptions): AsyncGenerator<DiagnoseEvent, void, undefined> {
  const { directory, fix = false, dryRun = false, signal, machine } = options;
  const paths = vaultPaths(directory);
  try {
    const before = await examineFolder(paths, machine);
    const isFixing = fix && !dryRun;
    if (isFixing) await fixFolder(paths, before);
    const inside = await lookInside(options, before, {
      fix: isFixing,
      ...(signal === undefined ? {} : { signal }),
    });
    const after = await examineFolder(paths, machine);
    const fixed = [...missingIn(before, after), ...inside.fixed];
    const findings = [...after, ...inside.findings];
    for (const finding of fixed) yield { type: 'fixed', finding };
    for (const finding of findings) {
      const isPlanned = fix && dryRun && finding.isFixable;
      yield { type: isPlanned ? 'planned' : 'finding', finding };
    }
    yield { type: 'summary', findings: findings.length, fixed: fixed.length, isOpened: inside.isOpened };
  } catch (error) {
    throw translate(error);
  }
}

interface Inside {
  readonly isOpened: boolean;
  readonly fixed: readonly Finding[];
  readonly findings: readonly Finding[];
}

const NOTHING: Inside = { isOpened: false, fixed: [], findings: [] };

async function lookInside(
  { directory, open }: DiagnoseOptions,
  before: readonly Finding[],
  options: DoctorOptions,
): Promise<Inside> {
  if (before.some(keepsClosed)) return NOTHING;
  const fixed: Finding[] = [];
  const findings: Finding[] = [];
  try {
    await using vault = await open();
    if (vault === undefined) return NOTHING;
    for await (const { type, finding } of vault.doctor(options))
      (type === 'fixed' ? fixed : findings).push(finding);
    return { isOpened: true, fixed, findings };
  } catch (error) {
    const code = error instanceof VaultError ? error.code : undefined;
    if (!(error instanceof VaultError) || (code !== 'DAMAGED' && code !== 'IN_USE')) throw error;
    const about = { item: directory, message: error.message };
    if (code === 'IN_USE') return { ...NOTHING, findings: [toFinding('IN_USE', about)] };
    // Where it is the database that is damaged, there is something that mends it.
    const isMendable = isOfDatabase(error.cause);
    const found = toFinding(isMendable ? 'DATABASE_UNREADABLE' : 'NOT_OPENED', about);
    const remedy = error.hint ?? found.remedy;
    const mend = isMendable && saysBackup(directory) ? restoreFrom(directory) : found.mend;
    return { ...NOTHING, findings: [{ ...found, remedy, mend }] };
  }
}

function isOfDatabase(cause: unknown): boolean {
  if (cause instanceof StorageError) return cause.damage === 'DATABASE_DAMAGED';
  return cause instanceof DatabaseError && cause.code !== 'WRONG_KEY';
}

/** What `open` threw may be the caller's own. */
function translate(error: unknown): unknown {
  const isForeign =
    error instanceof Error && !['StorageError', 'DatabaseError', 'VaultError', 'Error'].includes(error.name);
  return isForeign ? error : toVaultError(error);
}
