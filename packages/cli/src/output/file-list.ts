import { setImmediate } from 'node:timers/promises';
import type { FileEntry } from '@coffer/vault';
import type { Context } from '../context.ts';
import type { Outcome } from '../outcome.ts';
import { layOutColumns } from './columns.ts';
import { escapeName } from './escape.ts';
import { folderName, longLines } from './file-lines.ts';
import { fileRecord, folderRecord, type FolderEntry } from './records.ts';

export interface ListFormat {
  /** The command that lists, for the summary. */
  readonly command: string;
  readonly long: boolean;
  /** Whole paths, each ended by a NUL. */
  readonly null: boolean;
  readonly showsPaths: boolean;
  /** Gets what is listed; has what could not be. */
  readonly outcome: Outcome;
}

/** Writes folders and then files, page by page, until all are written or nobody reads them any more. */
export async function writeFiles(
  { output, host, signal }: Pick<Context, 'output' | 'host' | 'signal'>,
  folders: readonly FolderEntry[],
  pages: Iterable<readonly FileEntry[]> | AsyncIterable<readonly FileEntry[]>,
  { command, long, null: endsInNull, showsPaths, outcome }: ListFormat,
): Promise<void> {
  const { style, isTerminal } = output;
  const format = { style, isTerminal, showsPaths, nowMs: host.now() };
  let pageFolders = folders;
  let fileCount = 0;
  let sizeBytes = 0;
  for await (const files of pages) {
    // Listing itself never waits, and neither a signal nor a reader that has gone is heard of in between.
    await setImmediate();
    signal.throwIfAborted();
    if (output.isClosed) return;
    fileCount += files.length;
    if (files.length + pageFolders.length > 0) outcome.succeed();
    for (const file of files) sizeBytes += file.sizeBytes;
    if (output.json) {
      for (const folder of pageFolders) output.record('folder', folderRecord(folder));
      for (const file of files) output.record('file', fileRecord(file));
    } else if (endsInNull) {
      output.text(
        [...pageFolders.map(({ folder }) => `${folder}/\0`), ...files.map(({ path }) => `${path}\0`)].join(
          '',
        ),
      );
    } else if (long) {
      writeLines(output, longLines(pageFolders, files, format));
    } else {
      const cells = [
        ...pageFolders.map((folder) => ({ text: folderName(folder.folder, format), paint: style.folder })),
        ...files.map((file) => ({
          text: escapeName(showsPaths ? file.path : file.name),
          ...(file.condition === 'ok' ? {} : { paint: style.red }),
        })),
      ];
      const isColumns = isTerminal && !showsPaths;
      writeLines(
        output,
        isColumns
          ? layOutColumns(cells, output.terminalWidth)
          : cells.map((cell) => (cell.paint ?? same)(cell.text)),
      );
    }
    pageFolders = [];
  }
  if (output.json)
    output.record('summary', {
      command,
      folders: folders.length,
      files: fileCount,
      sizeBytes,
      failed: outcome.failed,
    });
}

function same(text: string): string {
  return text;
}

function writeLines(output: Context['output'], lines: readonly string[]): void {
  if (lines.length > 0) output.text(`${lines.join('\n')}\n`);
}
