import type { AgentState } from '@coffer/host';
import type { FileEntry, Finding, SlotInfo } from '@coffer/vault';

/** The fields of a `file` object. */
export function fileRecord(file: FileEntry): object {
  const { id, name, folder, path, sizeBytes, sha256, mimeType, placement } = file;
  const { condition, damagedSinceMs, createdAtMs, modifiedAtMs, tags } = file;
  return {
    id,
    name,
    folder,
    path,
    sizeBytes,
    sha256,
    mimeType,
    placement,
    condition,
    damagedSinceMs,
    createdAtMs,
    modifiedAtMs,
    tags,
  };
}

/** A folder and what is in it and below it, as `Vault.folders` says it. */
export interface FolderEntry {
  readonly folder: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
}

/** The fields of a `folder` object. */
export function folderRecord({ folder, fileCount, sizeBytes }: FolderEntry): object {
  return { path: folder, name: lastName(folder), fileCount, sizeBytes };
}

/** The fields of a `slot` object. */
export function slotRecord({ id, kind, label, createdAtMs }: SlotInfo): object {
  return { id, kind, label, createdAtMs };
}

/** The fields of an `agent` object. */
export function agentRecord({ pid, sinceMs, untilMs, idleMs }: AgentState): object {
  return { pid, sinceMs, untilMs, idleMs };
}

/** The fields of a `finding` object. */
export function findingRecord(finding: Finding): object {
  const { code, subject, item, id, path, message, sinceMs, cost, remedy, mend, isFixable } = finding;
  return { code, subject, item, id, path, message, sinceMs, cost, remedy, mend, fixable: isFixable };
}

/** The last part of a folder's path. */
export function lastName(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}
