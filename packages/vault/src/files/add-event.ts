import type { VaultError } from '../errors.ts';
import type { FileEntry } from './file-entry.ts';
import type { SkipReason } from './walk-sources.ts';

/** What became of one source. */
export type AddEvent =
  | { readonly type: 'added'; readonly source: string; readonly file: FileEntry; readonly replaced?: string }
  | { readonly type: 'planned'; readonly source: string; readonly path: string; readonly sizeBytes: number }
  | { readonly type: 'skipped'; readonly source: string; readonly reason: SkipReason | 'exists' }
  | { readonly type: 'failed'; readonly source: string; readonly error: VaultError };
