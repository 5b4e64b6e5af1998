import type { FileId, FileRow } from '@coffer/database';

/** Where a file goes, decided inside the transaction that inserts it. */
export interface Placing {
  readonly folder: string;
  readonly name: string;
  /** A file that goes in the same transaction. */
  readonly replaces?: FileId;
  /** In the place of what the draft has. */
  readonly mimeType?: string;
  readonly modifiedAtMs?: number;
}

export interface SaveOptions {
  readonly name: string;
  /** `''`, the root, when not given. */
  readonly folder?: string;
  /** Found from content and name when not given. */
  readonly mimeType?: string;
  readonly tags?: readonly string[];
  readonly transferId?: string;
  /** When the content was last changed; a path source knows, otherwise it is the time of saving. */
  readonly modifiedAtMs?: number;
  readonly signal?: AbortSignal;
  /** Called with the bytes read so far, at every piece. */
  readonly onProgress?: (bytesDone: number) => void;
  /**
   * Runs synchronously inside the transaction, before the row is inserted: to keep names unique, to replace a file, to record a
   * transfer's last state. What it throws undoes the save and is thrown on unchanged.
   */
  readonly place?: (draft: FileRow) => Placing;
}
