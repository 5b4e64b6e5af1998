import { lstat, stat } from 'node:fs/promises';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { vaultModeWarning } from '../loose-mode.ts';
import type { VaultPaths } from '../paths.ts';
import { readBoundedFile } from '../read-bounded-file.ts';
import { MAX_FILE_SIZE_BYTES } from './content.ts';
import type { ParsedVaultFile } from './content.ts';
import { parseVaultFile } from './parse.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';

/** What is left to do without a whole copy of the key slots. */
export const PUT_BACK =
  'put back a copy of vault.json from a backup of the vault; if slots were changed after it was made, `coffer key accept-rollback` goes on with it';

type Copy =
  | { readonly state: 'whole'; readonly path: string; readonly file: ParsedVaultFile; readonly mode: number }
  | { readonly state: 'missing'; readonly path: string }
  | { readonly state: 'damaged'; readonly path: string; readonly error: VaultError };

/**
 * Reads the key slots of a vault, without a key. Of two whole copies that differ, the one of the higher generation is used; if only
 * one is whole, that one; `warnings` says so.
 *
 * @throws VaultError NO_VAULT, TOO_NEW, DAMAGED (no whole copy), NOT_PERMITTED, FAILED
 */
export async function readVaultFile(paths: VaultPaths): Promise<VaultFile> {
  const first = await readCopy(paths.vaultFile);
  const copy = await readCopy(paths.vaultFileCopy);
  const modes = await modeWarnings(paths, [first, copy]);
  if (first.state === 'whole') {
    return copy.state === 'whole'
      ? combine(paths, first.file, copy.file, modes)
      : useOne(paths, first.file, copy, modes);
  }
  if (copy.state === 'whole') return useOne(paths, copy.file, first, modes);
  if (first.state === 'damaged') throw first.error;
  if (copy.state === 'damaged') throw copy.error;
  throw await noVault(paths);
}

function combine(
  paths: VaultPaths,
  first: ParsedVaultFile,
  copy: ParsedVaultFile,
  modes: readonly string[],
): VaultFile {
  if (Buffer.compare(first.bytes, copy.bytes) === 0)
    return vaultFileOf(paths, first, { modeWarnings: modes });
  if (first.content.vaultId !== copy.content.vaultId) {
    const warning = `${paths.vaultFileCopy} belongs to another vault than ${paths.vaultFile} and is not used`;
    return vaultFileOf(paths, first, { warnings: [warning], modeWarnings: modes, isCopyForeign: true });
  }
  const isCopyNewer = copy.content.generation > first.content.generation;
  const [current, other] = isCopyNewer ? [copy, first] : [first, copy];
  const used = isCopyNewer ? paths.vaultFileCopy : paths.vaultFile;
  const warning = `the two copies of the key slots differ, as an interrupted change leaves them; the newer one is used, ${used}`;
  return vaultFileOf(paths, current, {
    warnings: [warning],
    modeWarnings: modes,
    needsRepair: true,
    other,
    isFirstCurrent: !isCopyNewer,
  });
}

function useOne(
  paths: VaultPaths,
  current: ParsedVaultFile,
  bad: Exclude<Copy, { state: 'whole' }>,
  modes: readonly string[],
): VaultFile {
  const what = bad.state === 'missing' ? `${bad.path} is missing` : bad.error.message;
  const warning = `${what}; the other copy of the key slots is used`;
  return vaultFileOf(paths, current, { warnings: [warning], modeWarnings: modes, needsRepair: true });
}

async function readCopy(path: string): Promise<Copy> {
  try {
    // A link would be replaced by the next change, and what it points to left behind with old slots.
    const { bytes, mode } = await readBoundedFile(path, MAX_FILE_SIZE_BYTES, { noFollow: true });
    return { state: 'whole', path, file: parseVaultFile(bytes, path), mode };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return { state: 'missing', path };
    // A sector that can't be read is what the other copy is for.
    if (errno === 'EIO')
      return { state: 'damaged', path, error: damage(`${path} is damaged: the disk cannot read it`, error) };
    if (!(error instanceof VaultError)) throw errnoToVaultError(error, `cannot read ${path}`);
    if (error.code === 'TOO_NEW') throw error;
    return {
      state: 'damaged',
      path,
      error: error.code === 'DAMAGED' ? error : damage(`${path} is damaged: ${error.message}`, error),
    };
  }
}

async function modeWarnings(paths: VaultPaths, copies: readonly Copy[]): Promise<string[]> {
  const warnings = copies.map((copy) =>
    copy.state === 'whole' ? vaultModeWarning(copy.path, copy.mode) : undefined,
  );
  const folder = await stat(paths.directory).catch(() => undefined);
  warnings.unshift(folder === undefined ? undefined : vaultModeWarning(paths.directory, folder.mode));
  return warnings.filter((warning) => warning !== undefined);
}

async function noVault(paths: VaultPaths): Promise<VaultError> {
  const hasDatabase = await lstat(paths.database).then(
    () => true,
    () => false,
  );
  if (hasDatabase) {
    return damage(
      `${paths.vaultFile} and its copy are missing, and nothing opens the vault without one of them`,
    );
  }
  return new VaultError('NO_VAULT', `there is no vault in ${paths.directory}`, {
    hint: '`coffer init` makes one',
  });
}

function damage(message: string, cause?: unknown): VaultError {
  return new VaultError('DAMAGED', message, {
    hint: PUT_BACK,
    ...(cause === undefined ? {} : { cause }),
  });
}
