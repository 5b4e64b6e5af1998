import { spawn } from 'node:child_process';
import { constants, createReadStream, fstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { CliError, usageError } from '../cli-error.ts';
import type { Host } from '../host.ts';
import type { SecretSource } from './secret-source.ts';

const MAX_PASSPHRASE_BYTES = 65_536;

export type ReadableSource = Exclude<SecretSource, { kind: 'keyfile' | 'ask' }>;

/** Reads a passphrase, or another secret that `what` names, as it is, with its trailing newline if there is one. The caller zeroes it. */
export async function readPassphrase(
  source: ReadableSource,
  host: Pick<Host, 'stdin' | 'signal'>,
  what = 'passphrase',
): Promise<Uint8Array> {
  switch (source.kind) {
    case 'passphrase-file':
      return await readFile(source.path, host.signal, what);
    case 'recovery-code-file':
      return await readFile(source.path, host.signal, 'recovery code');
    case 'passphrase-fd':
      return await readFd(source.fd, host);
    case 'passphrase-command':
      return await readCommand(source.command, host.signal);
  }
}

async function readFile(path: string, signal: AbortSignal, what: string): Promise<Uint8Array> {
  const name = `the ${what} file ${path}`;
  try {
    return await collect(openStream(path, signal), name);
  } catch (error) {
    throw translate(error, name);
  }
}

function openStream(path: string, signal: AbortSignal): Readable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return streamOf(fd, fstatSync(fd), signal);
}

/** Waits for the other end of a pipe only as long as the signal allows, which an open or a read in the thread pool would not. */
function streamOf(fd: number, stats: Stats, signal: AbortSignal): Readable {
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: false, signal });
  return createReadStream('', { fd, signal });
}

async function readFd(fd: number, { stdin, signal }: Pick<Host, 'stdin' | 'signal'>): Promise<Uint8Array> {
  const name = `file descriptor ${String(fd)}`;
  // It would be shown while it is typed.
  if (isatty(fd)) throw usageError(`${name} is a terminal`, 'leave --passphrase-fd away to be asked');
  try {
    if (fd === 0) return await collect(addAbortSignal(signal, stdin), name);
    const stats = fstatSync(fd);
    // What Node.js itself holds under such a number (an epoll handle) is none of these.
    if (!stats.isFIFO() && !stats.isFile() && !stats.isSocket() && !stats.isCharacterDevice()) {
      throw usageError(`${name} can't be read`);
    }
    return await collect(streamOf(fd, stats, signal), name);
  } catch (error) {
    throw translate(error, name);
  }
}

async function readCommand(command: string, signal: AbortSignal): Promise<Uint8Array> {
  // Content may be piped to our stdin, so the command does not get it; what it says on stderr is for the person.
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'], signal });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      resolve(code ?? killedBy ?? 1);
    });
  });
  try {
    const [passphrase, result] = await Promise.all([collect(child.stdout, 'the passphrase command'), ended]);
    if (result === 0) return passphrase;
    passphrase.fill(0);
    throw new CliError('INPUT_NEEDED', `the passphrase command failed (${String(result)})`);
  } catch (error) {
    child.kill();
    // What the shell started may live on and hold the other end.
    child.stdout.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

async function collect(stream: AsyncIterable<Buffer>, name: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_PASSPHRASE_BYTES)
        throw usageError(`${name} holds more than 64 KiB, which is no secret of a vault`);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

function translate(error: unknown, name: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return new CliError('NOT_FOUND', `${name} is not there`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new CliError('NOT_PERMITTED', `${name} can't be read: not permitted`, { cause: error });
    case 'EBADF':
    case 'EISDIR':
    case 'EINVAL':
      return new CliError('USAGE', `${name} can't be read`, { cause: error });
    default:
      return error;
  }
}
