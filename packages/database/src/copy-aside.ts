import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { appear, checkAbsent, discardFile, makeEmptyFile } from './build-file.ts';
import { encodeCopyRequest, parseCopyAnswer } from './copy-message.ts';
import { DatabaseError } from './errors.ts';
import type { CopyKeys } from './fill-copy.ts';
import { askOwnProcess } from './own-process.ts';
import { discardCopy } from './shred-whole.ts';
import { toDatabaseError } from './translate-error.ts';

/**
 * Copies a database that is open here, and whose file must not change until this is done, in a process of its own: here nothing has to wait for SQLite. The copy appears under its
 * name whole and durable, or not at all, and replaces nothing. What it is made of takes the space of two databases, where the file system can't share blocks. Zeroes the keys.
 *
 * The files that the other process writes have names of their own. One that lives on for a moment when this process is killed then never meets what the next owner does.
 */
export async function copyAside(
  path: string,
  to: string,
  keys: CopyKeys,
  signal: AbortSignal | undefined,
): Promise<void> {
  const own = `${to}.${randomBytes(8).toString('hex')}`;
  const [temporaryPath, rawPath] = [`${own}.new`, `${own}.raw`];
  const request = encodeCopyRequest({ ...keys, path, rawPath, temporaryPath });
  try {
    signal?.throwIfAborted();
    checkAbsent(to);
    makeEmptyFile(temporaryPath);
    await readAnswer(askOwnProcess({ module: 'copy-process', request, signal, what: `the copy of ${path}` }));
    signal?.throwIfAborted();
    appear(temporaryPath, to);
  } catch (error) {
    for (const each of [temporaryPath, rawPath]) discardFile(each);
    signal?.throwIfAborted();
    throw toDatabaseError(error, `cannot make ${to}`);
  } finally {
    request.fill(0);
  }
}

async function readAnswer(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) {
    const answer = parseCopyAnswer(line);
    if (answer.type === 'error') throw new DatabaseError(answer.code, answer.message);
    return;
  }
}

/** Shreds what copies to that name left that were cut short. */
export function discardUnfinishedCopies(to: string): void {
  const name = basename(to);
  for (const each of readdirSync(dirname(to))) {
    if (each.startsWith(name) && UNFINISHED.test(each.slice(name.length)))
      discardCopy(join(dirname(to), each));
  }
}

/** After the name of the copy; without the digits when it was made in the process that has the database. */
const UNFINISHED = /^(?:\.[0-9a-f]{16})?\.(?:new|raw)(?:-journal|-wal|-shm)?$/;
