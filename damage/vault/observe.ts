import { existsSync } from 'node:fs';
import { VaultError } from '../../packages/vault/src/index.ts';
import type { Finding, Vault } from '../../packages/vault/src/index.ts';
import type { SampleFile } from './sample-vault.ts';

/** What became of reading one file. */
interface ReadOutcome {
  /** `wrong`: bytes came that are not the file's, which must never be. */
  readonly outcome: 'whole' | 'refused' | 'wrong';
  readonly error?: VaultError;
}

/** What a person sees of an open vault: each file read, and what `check` says. */
export interface Observation {
  readonly files: ReadonlyMap<string, ReadOutcome>;
  readonly findings: readonly Finding[];
  /** What ended the check early. */
  readonly checkError: VaultError | undefined;
}

export interface ObserveOptions {
  /** Only these files are read and checked, the database and the folder not. */
  readonly only?: readonly SampleFile[];
  readonly mode?: 'full' | 'quick';
}

/** Nothing that this program does with a small vault takes as long, on any machine. */
const HANGS_AFTER_MS = 60_000;

export async function observe(
  vault: Vault,
  files: readonly SampleFile[],
  { only, mode = 'full' }: ObserveOptions = {},
): Promise<Observation> {
  const outcomes = new Map<string, ReadOutcome>();
  for (const file of only ?? files) outcomes.set(file.path, await readOne(vault, file));
  const findings: Finding[] = [];
  try {
    const items = only === undefined ? {} : { items: only.map(({ id }) => `id:${id}`) };
    for await (const event of vault.check({ mode, ...items })) {
      if (event.type === 'finding') findings.push(event.finding);
    }
    return { files: outcomes, findings, checkError: undefined };
  } catch (error) {
    return { files: outcomes, findings, checkError: requireVaultError(error) };
  }
}

/** Reads a file by its path or, when an index is damaged, by its id; holds every piece against the true content as it comes. */
async function readOne(vault: Vault, file: SampleFile): Promise<ReadOutcome> {
  const byPath = await readItem(vault, file.path, file.content);
  return byPath.outcome === 'refused'
    ? { ...(await readItem(vault, `id:${file.id}`, file.content)) }
    : byPath;
}

async function readItem(vault: Vault, item: string, content: Uint8Array): Promise<ReadOutcome> {
  let offset = 0;
  try {
    for await (const piece of vault.read(item)) {
      const expected = content.subarray(offset, offset + piece.length);
      if (Buffer.compare(piece, expected) !== 0) return { outcome: 'wrong' };
      offset += piece.length;
    }
  } catch (error) {
    return { outcome: 'refused', error: requireVaultError(error) };
  }
  return { outcome: offset === content.length ? 'whole' : 'wrong' };
}

/** Everything that a vault throws is a `VaultError`; anything else is a bug that ends the run. */
export function requireVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  throw error;
}

/** Ends the run when something hangs. */
export async function withinTime<T>(name: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${name}: it hangs`));
    }, HANGS_AFTER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether restoring an unreadable file left anything under the name it was to get. */
export async function leavesNothing(vault: Vault, file: SampleFile, destination: string): Promise<boolean> {
  for await (const event of vault.getPaths([`id:${file.id}`], { destination })) {
    if (event.type === 'restored') return false;
  }
  return !existsSync(destination);
}
