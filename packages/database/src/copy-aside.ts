import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { appear, checkAbsent, discardFileSlowly, makeEmptyFile } from './build-file.ts';
import { encodeCopyRequest, parseCopyAnswer } from './copy-message.ts';
import type { CopyRequest } from './copy-message.ts';
import { DatabaseError } from './errors.ts';
import type { CopyKeys } from './fill-copy.ts';
import { askOwnProcess } from './own-process.ts';
import { discardCopy } from './shred-whole.ts';
import { toDatabaseError } from './translate-error.ts';

/** What is smaller is copied, or checked, in the process that has it open: starting another one takes longer than that. */
export const ASIDE_FROM_BYTES: number = 4 * 1024 * 1024;

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
  try {
    signal?.throwIfAborted();
    checkAbsent(to);
    makeEmptyFile(temporaryPath);
    await askForCopy({ ...keys, path, rawPath, temporaryPath }, signal, `the copy of ${path}`);
    signal?.throwIfAborted();
    appear(temporaryPath, to);
  } catch (error) {
    for (const each of [temporaryPath, rawPath]) await discardFileSlowly(each);
    signal?.throwIfAborted();
    throw toDatabaseError(error, `cannot make ${to}`);
  }
}

/** Has a process do what the request says. Throws what it could not do, and the signal's reason. What it has left, the caller removes. */
export async function askForCopy(
  asked: CopyRequest,
  signal: AbortSignal | undefined,
  what: string,
): Promise<void> {
  signal?.throwIfAborted();
  const request = encodeCopyRequest(asked);
  try {
    for await (const line of askOwnProcess({ module: 'copy-process', request, signal, what })) {
      const answer = parseCopyAnswer(line);
      if (answer.type === 'error') throw new DatabaseError(answer.code, answer.message);
      return;
    }
  } finally {
    request.fill(0);
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
