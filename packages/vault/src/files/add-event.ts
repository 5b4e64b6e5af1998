import type { VaultError } from '../errors.ts';
import type { FileEntry } from './file-entry.ts';
import type { SkipReason } from './walk-sources.ts';

/** What is worth knowing of a file that was added: its source had no hash to check it by, no time, or no name that could be kept. */
export type AddNote = 'unverified' | 'no-time' | 'renamed';

/** What became of one source. `exists`: its path is taken; `same`: so it is, by the same content. */
export type AddEvent =
  | {
      readonly type: 'added';
      readonly source: string;
      readonly file: FileEntry;
      readonly replaced?: string;
      readonly notes?: readonly AddNote[];
    }
  | {
      readonly type: 'planned';
      readonly source: string;
      readonly path: string;
      readonly sizeBytes: number;
      readonly notes?: readonly AddNote[];
    }
  | { readonly type: 'skipped'; readonly source: string; readonly reason: SkipReason | 'exists' | 'same' }
  | { readonly type: 'failed'; readonly source: string; readonly error: VaultError };
