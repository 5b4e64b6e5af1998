import type { FindingCode as StorageFindingCode } from '@coffer/storage';
import { FOLDER_KINDS } from './kinds/folder-kinds.ts';
import type { FolderFindingCode } from './kinds/folder-kinds.ts';
import type { FindingKind } from './kinds/kind.ts';
import { OPEN_KINDS } from './kinds/open-kinds.ts';
import type { OpenFindingCode } from './kinds/open-kinds.ts';
import { STORAGE_KINDS } from './kinds/storage-kinds.ts';

export type { FindingKind, MendAbout } from './kinds/kind.ts';

export type FindingCode = StorageFindingCode | FolderFindingCode | OpenFindingCode;

/** Every kind of finding; docs/recovering.md is held against it by a test. */
export const FINDING_KINDS: Readonly<Record<FindingCode, FindingKind>> = {
  ...STORAGE_KINDS,
  ...FOLDER_KINDS,
  ...OPEN_KINDS,
};
