import { stat } from 'node:fs/promises';
import { VaultError, errnoToVaultError } from '../errors.ts';
import type { AddEvent } from '../files/add-event.ts';
import { addPaths } from '../files/add-files.ts';
import type { AddContext, AddPathsOptions } from '../files/add-files.ts';
import { pathFrom } from '../files/local-path.ts';

/** As for `addPaths`; `folder` is where the content of the source goes. */
export type ImportFolderOptions = Omit<AddPathsOptions, 'recursive' | 'name'>;

/**
 * Adds everything below a folder of this machine, as `addPaths` does with each thing in it; the folder's own name is not kept. A link to a
 * folder may be given, links in it are not followed. Throws `NOT_FOUND`, `NOT_A_FILE` when it is not a folder.
 */
export async function* importFolder(
  context: AddContext,
  source: string,
  options: ImportFolderOptions,
): AsyncGenerator<AddEvent, void, undefined> {
  await requireFolder(source, options.cwd ?? process.cwd());
  // With the dot it is the content that is meant, and a link is followed.
  yield* addPaths(context, [`${source}/.`], { ...options, recursive: true });
}

/** Throws `NOT_FOUND`, `NOT_PERMITTED`, `NOT_A_FILE`. */
export async function requireFolder(source: string, cwd: string): Promise<void> {
  let found;
  try {
    found = await stat(pathFrom(cwd, source));
  } catch (error) {
    throw errnoToVaultError(error, `cannot import ${source}`);
  }
  if (found.isDirectory()) return;
  throw new VaultError('NOT_A_FILE', `${source} is not a folder`, { hint: '`coffer add` takes files' });
}
