import type { CofferDatabase, FileRow } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { joinPath, splitPath } from './file-entry.ts';

/** What an ITEM of the command line stands for. */
export type ResolvedItem =
  { readonly kind: 'file'; readonly row: FileRow } | { readonly kind: 'folder'; readonly folder: string };

export interface ResolveOptions {
  /** Refuse an item that stands for more than one thing, instead of taking the first. For what can't be undone. */
  readonly strict?: boolean;
}

const ID_PREFIX = /^[0-9a-f]{4,32}$/;
const FORCED_ID = /^id:([0-9a-f]{1,32})$/;
const MAX_CANDIDATES = 10;

/**
 * Finds what an item stands for: a path (`folder/name`), a unique name, a folder, or an id prefix of 4 or more hex digits, in that
 * order; `id:` forces an id, a slash at the end a folder, `/` is the root folder. Throws `NOT_FOUND`, and `AMBIGUOUS` with
 * candidates.
 */
export function resolveItem(
  database: CofferDatabase,
  item: string,
  options: ResolveOptions = {},
): ResolvedItem {
  // An empty one is a script's variable that was never set; `rm -r` of everything would be a surprise.
  if (item === '')
    throw new VaultError('INVALID_INPUT', 'an item is not empty', { hint: '`/` is the root folder' });
  const forced = FORCED_ID.exec(item)?.[1];
  if (forced !== undefined) return one(item, byIdPrefix(database, forced)) ?? notFound(item);

  const path = item.normalize('NFC').replace(/^\/+/, '');
  const folderPath = path.replace(/\/+$/, '');
  const folders = isFolder(database, folderPath) ? [{ kind: 'folder' as const, folder: folderPath }] : [];
  if (path.endsWith('/') || path === '') return folders[0] ?? notFound(item);

  const kinds: (() => readonly ResolvedItem[])[] = [
    () => byPath(database, path),
    () => byName(database, path),
    () => folders,
    () => (ID_PREFIX.test(path) ? byIdPrefix(database, path) : []),
  ];
  if (options.strict === true) return one(item, distinct(kinds.flatMap((find) => find()))) ?? notFound(item);
  for (const find of kinds) {
    const found = one(item, find());
    if (found !== undefined) return found;
  }
  return notFound(item);
}

/** A folder exists while there is a file in it, at any depth; the root always does. */
export function isFolder(database: CofferDatabase, folder: string): boolean {
  return folder === '' || database.files.hasFolder(folder);
}

function byPath(database: CofferDatabase, path: string): ResolvedItem[] {
  const { folder, name } = splitPath(path);
  return database.files.findByPath(folder, name).map(asFile);
}

function byName(database: CofferDatabase, name: string): ResolvedItem[] {
  return name.includes('/') ? [] : database.files.findByName(name, MAX_CANDIDATES + 1).map(asFile);
}

function byIdPrefix(database: CofferDatabase, prefix: string): ResolvedItem[] {
  return database.files.findByIdPrefix(prefix, MAX_CANDIDATES + 1).map(asFile);
}

function asFile(row: FileRow): ResolvedItem {
  return { kind: 'file', row };
}

function distinct(found: readonly ResolvedItem[]): ResolvedItem[] {
  return [...new Map(found.map((each) => [describe(each), each])).values()];
}

function one(item: string, found: readonly ResolvedItem[]): ResolvedItem | undefined {
  if (found.length <= 1) return found[0];
  const candidates = found.slice(0, MAX_CANDIDATES).map(describe).sort();
  if (found.length > MAX_CANDIDATES) candidates.push('…');
  throw new VaultError('AMBIGUOUS', `${JSON.stringify(item)} stands for more than one thing`, {
    candidates,
    hint: 'use the whole path, a folder with a slash at its end, or id: and the first digits of the id',
  });
}

function describe(item: ResolvedItem): string {
  if (item.kind === 'folder') return `${item.folder}/`;
  return `${joinPath(item.row.folder, item.row.name)} (id:${item.row.id.slice(0, 8)})`;
}

function notFound(item: string): never {
  throw new VaultError('NOT_FOUND', `there is no ${JSON.stringify(item)} in this vault`, {
    hint: '`coffer ls -r` lists everything, `coffer find` looks for a part of a name',
  });
}
