import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isOwnName } from './doctor/folder-names.ts';
import { VaultError, errnoOf } from './errors.ts';
import type { VaultPaths } from './paths.ts';

/**
 * The symbolic links that are in the vault's folder under a name of Coffer's, as paths. There is one rule for all of them: the folder itself may be a link,
 * and nothing in it is one, because what is renamed, replaced or made durable beside a link is not what the link leads to.
 */
export function linksIn({ directory }: VaultPaths): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isSymbolicLink() && isOwnName(entry.name))
      .map(({ name }) => join(directory, name));
  } catch (error) {
    // Whoever reads the vault next says so, and in what is missing.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** Throws `DAMAGED` for a vault with a link in its folder. */
export function refuseLinks(paths: VaultPaths): void {
  const [link] = linksIn(paths);
  if (link === undefined) return;
  throw new VaultError('DAMAGED', describeLink(link), {
    hint: 'put what it leads to in its place, or have the folder of the vault as a whole somewhere else and link to that; `coffer doctor` has the command',
  });
}

export function describeLink(link: string): string {
  return `${link} is a link (to ${readlinkSync(link)}): the folder of a vault may be one, but nothing of the vault in it`;
}
