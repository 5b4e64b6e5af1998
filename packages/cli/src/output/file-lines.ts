import type { FileEntry } from '@coffer/vault';
import { layOutTable, type Cell, type TableColumn } from './columns.ts';
import { escapeName, escapeText } from './escape.ts';
import { formatCount, formatDate, formatIsoDate, formatSize } from './format.ts';
import { lastName, type FolderEntry } from './records.ts';
import type { Style } from './style.ts';

/** How long lists are written. */
export interface LongFormat {
  readonly style: Style;
  readonly nowMs: number;
  /** For people: aligned, with sizes and dates to read. Otherwise tabs, bytes and ISO dates. */
  readonly isTerminal: boolean;
  /** Whole paths, or names only. */
  readonly showsPaths: boolean;
}

const COLUMNS: readonly TableColumn[] = [{}, { align: 'right' }, {}, {}, {}];
const SHORT_ID = 8;

/** The lines of `ls -l`: id, size, when it was modified, type, name and tags. Folders come first. */
export function longLines(
  folders: readonly FolderEntry[],
  files: readonly FileEntry[],
  format: LongFormat,
): string[] {
  if (!format.isTerminal) {
    return [
      ...folders.map(({ folder, sizeBytes }) =>
        ['-', String(sizeBytes), '-', 'folder', folderName(folder, format)].join('\t'),
      ),
      ...files.map((file) =>
        [
          file.id,
          String(file.sizeBytes),
          formatIsoDate(file.modifiedAtMs),
          escapeText(file.mimeType),
          escapeName(format.showsPaths ? file.path : file.name),
          file.tags.map(escapeName).join(','),
        ].join('\t'),
      ),
    ];
  }
  const { style, nowMs } = format;
  const folderRows = folders.map(({ folder, fileCount, sizeBytes }): Cell[] => [
    { text: '', paint: style.dim },
    { text: formatSize(sizeBytes) },
    { text: formatCount(fileCount, 'file') },
    { text: 'folder', paint: style.dim },
    { text: folderName(folder, format), paint: style.folder },
  ]);
  const fileRows = files.map((file): Cell[] => {
    const name = escapeName(format.showsPaths ? file.path : file.name);
    return [
      { text: file.id.slice(0, SHORT_ID), paint: style.dim },
      { text: formatSize(file.sizeBytes) },
      { text: formatDate(file.modifiedAtMs, nowMs) },
      { text: escapeText(file.mimeType), paint: style.dim },
      {
        text: name + noteOf(file, nowMs),
        paint: () => name + style.red(conditionOf(file, nowMs)) + style.dim(tagsOf(file)),
      },
    ];
  });
  return layOutTable([...folderRows, ...fileRows], COLUMNS);
}

/** A folder's name with its slash. */
export function folderName(folder: string, { showsPaths }: Pick<LongFormat, 'showsPaths'>): string {
  return `${escapeName(showsPaths ? folder : lastName(folder))}/`;
}

function noteOf(file: FileEntry, nowMs: number): string {
  return conditionOf(file, nowMs) + tagsOf(file);
}

function conditionOf(file: FileEntry, nowMs: number): string {
  return file.condition === 'ok' ? '' : ` (${conditionText(file, nowMs)})`;
}

/** `damaged, seen today 14:03` */
export function conditionText(
  { condition, damagedSinceMs }: Pick<FileEntry, 'condition' | 'damagedSinceMs'>,
  nowMs: number,
): string {
  return damagedSinceMs === undefined ? condition : `${condition}, seen ${formatDate(damagedSinceMs, nowMs)}`;
}

function tagsOf({ tags }: FileEntry): string {
  return tags.map((tag) => ` #${escapeName(tag)}`).join('');
}
