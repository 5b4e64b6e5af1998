import { DatabaseError } from '@coffer/database';
import type { CofferDatabase, FileId } from '@coffer/database';
import type { CheckTotals, FileStorage } from '@coffer/storage';
import { fromStorageFinding } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';

export type CheckEvent =
  | { readonly type: 'finding'; readonly finding: Finding }
  | ({ readonly type: 'summary'; readonly findings: number } & CheckTotals);

export interface CheckOptions {
  /** Paths, names, folders or ids; everything when not given, the database and the vault's own files included. */
  readonly items?: readonly string[];
  /** `full` reads and verifies every byte, `sample` those of some files, `quick` compares names and sizes only. */
  readonly mode: 'full' | 'quick' | 'sample';
  readonly samplePercent?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

interface CheckContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  /** The folder of sealed files. */
  readonly filesPath: string;
  /** What is wrong with vault.json, its copy and the modes of the vault's folder. */
  readonly ownFindings: () => Promise<readonly Finding[]>;
}

/** Verifies a vault and yields what is wrong, then a summary. */
export async function* checkVault(
  context: CheckContext,
  options: CheckOptions,
): AsyncGenerator<CheckEvent, void, undefined> {
  const { database, storage } = context;
  const { mode, samplePercent, signal, items } = options;
  let findings = 0;
  try {
    const ids = items?.flatMap((item) => idsOf(database, item));
    const totals = totalsOf(database, ids);
    if (ids === undefined) {
      for (const finding of await context.ownFindings()) {
        findings++;
        yield { type: 'finding', finding };
      }
    }
    const meter = new BulkMeter(options.onProgress, mode === 'full' ? totals : undefined);
    const checking = storage.check({
      mode,
      ...(ids === undefined ? {} : { ids }),
      ...(samplePercent === undefined ? {} : { samplePercent }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (bytesDone) => {
        meter.advance(bytesDone);
      },
    });
    for (;;) {
      const next = await checking.next();
      if (next.done === true) {
        yield { type: 'summary', ...next.value, findings };
        return;
      }
      findings++;
      yield { type: 'finding', finding: fromStorageFinding(next.value, context.filesPath) };
    }
  } catch (error) {
    throw toVaultError(error);
  }
}

/** For the progress; `undefined` when pages of the database are damaged, which is for the check itself to say. */
function totalsOf(
  { files }: CofferDatabase,
  ids: readonly FileId[] | undefined,
): { readonly files: number; readonly bytes: number } | undefined {
  if (ids !== undefined) {
    return { files: ids.length, bytes: ids.reduce((sum, id) => sum + files.get(id).sizeBytes, 0) };
  }
  try {
    return { files: files.count(), bytes: files.totalSizeBytes() };
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'CORRUPT') return undefined;
    throw error;
  }
}

function idsOf(database: CofferDatabase, item: string): FileId[] {
  const resolved = resolveItem(database, item);
  const rows = resolved.kind === 'file' ? [resolved.row] : rowsInFolder(database, resolved.folder);
  return rows.map((row) => row.id);
}
