import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { VaultPaths } from '../paths.ts';
import { toFinding } from './finding.ts';
import type { Finding } from './finding.ts';
import { placeOf } from './folder-names.ts';

/** Something else than Coffer makes, under a name that it needs in the vault's folder. Looks, and opens nothing. */
export function examinePlaces({ directory }: VaultPaths): Finding[] {
  return readdirSync(directory).flatMap((name) => {
    const item = join(directory, name);
    const stats = lstatSync(item, { throwIfNoEntry: false });
    if (stats === undefined || !isTaken(item, placeOf(name))) return [];
    const message = `${item} is not the ${placeOf(name) ?? ''} that it has to be: something else is in its place`;
    return [toFinding('PLACE_TAKEN', { item, message, sinceMs: Math.round(stats.mtimeMs) })];
  });
}

/** A link is neither a file nor a folder: what is written to it would go somewhere else. */
export function isTaken(path: string, place: 'file' | 'folder' | undefined): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || place === undefined) return false;
  return place === 'folder' ? !stats.isDirectory() : !stats.isFile();
}
