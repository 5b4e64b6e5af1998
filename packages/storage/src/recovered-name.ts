import type { FileId } from '@coffer/database';
import { usualExtension } from './mime-type.ts';

/** What a file is called whose name is lost: `recovered-`, the beginning of its id and the usual ending of its type. */
export async function recoveredName(id: FileId, mimeType: string): Promise<string> {
  return `recovered-${id.slice(0, 8)}${await usualExtension(mimeType)}`;
}
