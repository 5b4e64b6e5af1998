import type { FileEntry } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Context, RunCommand } from '../context.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName, escapeText } from '../output/escape.ts';
import { conditionText } from '../output/file-lines.ts';
import { formatCount, formatDate, formatIsoDate, formatSize } from '../output/format.ts';
import { writeProperties } from '../output/properties.ts';
import { fileRecord, folderRecord } from '../output/records.ts';

/** `coffer info`: everything the vault knows of a file or a folder. */
export function registerInfo(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('info')
    .summary('show what is known of a file or folder')
    .description('Shows everything the vault knows of a file or a folder.')
    .argument('<item>', 'a path, a unique name, a folder, or the beginning of an id')
    .action((item) =>
      run(async (context) => {
        const { output } = context;
        await using vault = await openVaultFor(context);
        const resolved = await vault.resolve(item);
        if (resolved.kind === 'file') {
          if (output.json) output.record('file', fileRecord(resolved.file));
          else showFile(context, resolved.file);
          return undefined;
        }
        const { folder } = resolved;
        const parent = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '';
        const entry = (await vault.folders(parent)).find((candidate) => candidate.folder === folder);
        const { fileCount, sizeBytes } = entry ?? { fileCount: 0, sizeBytes: 0 };
        if (output.json) {
          output.record('folder', folderRecord({ folder, fileCount, sizeBytes }));
        } else {
          writeProperties(output, [
            ['path', `${escapeName(folder)}/`],
            ['holds', `${formatCount(fileCount, 'file')}, ${exactSize(sizeBytes)}`],
          ]);
        }
        return undefined;
      }),
    );
}

function showFile({ output, host }: Context, file: FileEntry): void {
  const when = (timeMs: number): string => `${formatIsoDate(timeMs)} (${formatDate(timeMs, host.now())})`;
  const { style } = output;
  writeProperties(output, [
    ['path', escapeName(file.path)],
    ['id', file.id],
    ['size', exactSize(file.sizeBytes)],
    ['type', escapeText(file.mimeType)],
    ['sha256', file.sha256],
    ['kept as', file.placement === 'blob' ? 'a row of the database' : 'a sealed file'],
    ['condition', file.condition === 'ok' ? 'ok' : style.red(conditionText(file, host.now()))],
    ['modified', when(file.modifiedAtMs)],
    ['added', when(file.createdAtMs)],
    ['tags', file.tags.length === 0 ? '-' : file.tags.map(escapeName).join(', ')],
  ]);
}

function exactSize(sizeBytes: number): string {
  const exact = formatCount(sizeBytes, 'byte');
  return sizeBytes < 1000 ? exact : `${formatSize(sizeBytes)} (${exact})`;
}
