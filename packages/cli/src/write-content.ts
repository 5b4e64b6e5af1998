import type { VaultClient } from '@coffer/host';
import { CliError, usageError } from './cli-error.ts';
import type { Context } from './context.ts';
import type { ByteRange } from './input/parse-range.ts';

/** Writes the content of one file, or a part of it, to stdout. */
export async function writeContent(
  { output, signal }: Context,
  vault: VaultClient,
  item: string,
  toRange?: (sizeBytes: number) => ByteRange,
): Promise<void> {
  const resolved = await vault.resolve(item);
  if (resolved.kind === 'folder') {
    throw usageError(
      `${item} is a folder`,
      'stdout takes one file; `coffer get` restores folders to a folder',
    );
  }
  const { id, sizeBytes } = resolved.file;
  const { start = 0, end } = toRange?.(sizeBytes) ?? {};
  if (start > sizeBytes) {
    throw usageError(`${item} has no byte ${String(start)}`, `it has ${String(sizeBytes)}, counted from 0`);
  }
  let isFirst = true;
  for await (const chunk of vault.read(`id:${id}`, {
    start,
    signal,
    transient: true,
    ...(end === undefined ? {} : { end }),
  })) {
    if (isFirst && output.isTerminal && chunk.includes(0)) {
      throw new CliError('USAGE', `${item} is not text, and stdout is a terminal`, {
        hint: 'send it to a file or another program, or use `coffer get`',
      });
    }
    isFirst = false;
    await output.bytes(chunk);
    if (output.isClosed) break;
  }
}
