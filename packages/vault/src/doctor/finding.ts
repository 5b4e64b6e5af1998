import { bytesToHex } from '@coffer/crypto';
import type { Finding as StorageFinding } from '@coffer/storage';
import { joinPath } from '../files/file-entry.ts';
import { FINDING_KINDS } from './finding-kinds.ts';
import type { FindingCode, MendAbout } from './finding-kinds.ts';
import { quoteForShell } from './quote-for-shell.ts';

export type FindingSubject = 'file' | 'database' | 'folder' | 'slots' | 'machine';

/** One thing that is wrong with a vault. */
export interface Finding {
  /** Stable; one for each kind of damage. docs/recovering.md has a chapter for each. */
  readonly code: FindingCode;
  readonly subject: FindingSubject;
  /** What it is about: the path of a file of the vault, or of a file on disk. */
  readonly item: string;
  /** The file of the vault that is affected. */
  readonly id?: string;
  readonly path?: string;
  readonly message: string;
  /** When it was first noticed, or when what is in the way was last written; not there when nobody knows. */
  readonly sinceMs?: number;
  /** What is lost or at risk. */
  readonly cost: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The command that does it, for a POSIX shell. `BACKUP` stands for the folder of a backup of the vault, `RESTORED` for a new one. */
  readonly mend: string;
  /** Whether `doctor --fix` does it. */
  readonly isFixable: boolean;
}

/** What a finding is made of, besides its kind. */
export interface FindingAbout {
  readonly item: string;
  readonly message: string;
  readonly sinceMs?: number;
  /** What the link in the place of the database leads to in the end. */
  readonly database?: string;
  readonly file?: {
    readonly id: string;
    readonly folder: string;
    readonly name: string;
    readonly sizeBytes?: number;
    readonly sha256?: Uint8Array;
  };
}

export function toFinding(code: FindingCode, about: FindingAbout): Finding {
  const kind = FINDING_KINDS[code];
  const { item, message, sinceMs, database, file } = about;
  return {
    code,
    subject: kind.subject,
    item,
    ...(file === undefined ? {} : { id: file.id, path: joinPath(file.folder, file.name) }),
    message,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    cost: kind.cost,
    remedy: kind.remedy,
    mend: kind.mend({
      item: quoteForShell(item),
      ...(database === undefined ? {} : { database: quoteForShell(database) }),
      ...(file === undefined ? {} : { file: named(file) }),
    }),
    isFixable: kind.isFixable ?? false,
  };
}

function named({ id, folder, name, sha256 }: Required<FindingAbout>['file']): Required<MendAbout>['file'] {
  // Of a row that was rebuilt without its content it is zeros: docs/decisions/0040.
  const isKnown = sha256?.some((byte) => byte !== 0) === true;
  return { id, folder, name, ...(isKnown ? { sha256: bytesToHex(sha256) } : {}) };
}

/** What a check of the storage has found, in the words of a vault. */
export function fromStorageFinding(
  { code, file, name, message, sinceMs }: StorageFinding,
  files: string,
): Finding {
  const item =
    file === undefined
      ? name === undefined
        ? 'data.db'
        : `${files}/${name}`
      : joinPath(file.folder, file.name);
  return toFinding(code, {
    item,
    message,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(file === undefined ? {} : { file }),
  });
}
