import type { CofferDatabase } from '@coffer/database';
import type { FileId, FileStorage } from '@coffer/storage';
import type { VaultPaths } from '../paths.ts';
import { toVaultError } from '../to-vault-error.ts';
import { clockFinding } from './examine-folder.ts';
import { isTaken } from './examine-places.ts';
import { fromStorageFinding, toFinding } from './finding.ts';
import type { Finding } from './finding.ts';

export type DoctorEvent =
  | { readonly type: 'finding'; readonly finding: Finding }
  /** What was wrong and is no more. */
  | { readonly type: 'fixed'; readonly finding: Finding };

export interface DoctorOptions {
  /** Do what is safe: recovery, overwriting and removing leftovers, marking files, giving back what the database does not use. No file of the vault is changed or removed. */
  readonly fix?: boolean;
  readonly signal?: AbortSignal;
}

interface DoctorContext {
  readonly paths: VaultPaths;
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly nowMs: () => number;
}

/** Looks at everything in an open vault that can be looked at quickly: names and sizes of all files, the whole content of those known to be damaged. */
export async function* doctorVault(
  context: DoctorContext,
  { fix = false, signal }: DoctorOptions,
): AsyncGenerator<DoctorEvent, void, undefined> {
  try {
    const before = await inspect(context, signal);
    let after = before;
    if (fix && before.some(({ isFixable }) => isFixable)) {
      await context.storage.recover();
      after = await inspect(context, signal);
    }
    if (fix) await context.storage.reclaimSpace();
    for (const finding of missingIn(before, after)) yield { type: 'fixed', finding };
    for (const finding of after) yield { type: 'finding', finding };
  } catch (error) {
    throw toVaultError(error);
  }
}

/** Findings of the first list that are not in the second. */
export function missingIn(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  const left = new Set(after.map(({ code, item }) => `${code} ${item}`));
  return before.filter(({ code, item }) => !left.has(`${code} ${item}`));
}

async function inspect(context: DoctorContext, signal: AbortSignal | undefined): Promise<Finding[]> {
  const { paths, database, storage } = context;
  const cancel = signal === undefined ? {} : { signal };
  const findings: Finding[] = [];
  // Names and sizes do not tell of damaged content, which a check has found before: it is read again, and may be whole again.
  for await (const found of storage.check({ mode: 'full', ids: markedFiles(database), ...cancel }))
    findings.push(fromStorageFinding(found, paths.files));
  const seen = new Set(findings.map(({ id }) => id));
  for await (const found of storage.check({ mode: 'quick', ...cancel })) {
    if (found.file === undefined || !seen.has(found.file.id))
      findings.push(fromStorageFinding(found, paths.files));
  }
  return [
    ...findings,
    ...pendingFindings(context),
    ...(await quarantineFindings(context)),
    ...clockFinding(newestMs(database), context.nowMs(), 'a file was added'),
  ];
}

function markedFiles({ files }: CofferDatabase): FileId[] {
  try {
    return [...files.iterate({ condition: 'missing' }), ...files.iterate({ condition: 'damaged' })].map(
      ({ id }) => id,
    );
  } catch (error) {
    if (toVaultError(error).code === 'DAMAGED') return [];
    throw error;
  }
}

function newestMs({ files }: CofferDatabase): number {
  try {
    return files.list({ sort: 'created', descending: true, limit: 1 }).rows[0]?.createdAtMs ?? 0;
  } catch (error) {
    if (toVaultError(error).code === 'DAMAGED') return 0;
    throw error;
  }
}

function pendingFindings({ paths, storage }: DoctorContext): Finding[] {
  const { files, isShredding } = storage.pendingDeletions();
  const pending = files.map(({ id, deletedAtMs }) => {
    const item = `${paths.files}/${id}.enc`;
    const message = `${item} was deleted, but could not be overwritten or removed yet`;
    return toFinding('DELETION_PENDING', { item, message, sinceMs: deletedAtMs });
  });
  if (!isShredding) return pending;
  const message = 'data.db could not be cleared yet of files that were shredded';
  return [...pending, toFinding('SHREDDING_PENDING', { item: paths.database, message })];
}

async function quarantineFindings({ paths, storage }: DoctorContext): Promise<Finding[]> {
  // Another finding says what is there instead.
  if (isTaken(paths.quarantine, 'folder')) return [];
  const files = await storage.listQuarantine();
  if (files.length === 0) return [];
  const opening = files.filter(({ problem }) => problem === undefined).length;
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const what = `${String(files.length)} sealed ${files.length === 1 ? 'file' : 'files'}`;
  const message = `${what} in quarantine/ (${String(sizeBytes)} bytes), of which ${String(opening)} open with a key of this vault`;
  const sinceMs = Math.min(...files.map(({ modifiedAtMs }) => modifiedAtMs));
  return [toFinding('QUARANTINED', { item: paths.quarantine, message, sinceMs })];
}
