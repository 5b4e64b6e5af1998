import { closeSync, openSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { isatty, ReadStream, WriteStream } from 'node:tty';
import type { Terminal } from '../host.ts';

/**
 * Opens the terminal device of this process: /dev/tty, or the console's CONIN$ and CONOUT$ on Windows. It works while stdin
 * and stdout are pipes. Returns `undefined` when there is no terminal.
 */
export function openTerminal(platform: NodeJS.Platform): Terminal | undefined {
  const isWindows = platform === 'win32';
  const inputFd = openDevice(isWindows ? String.raw`\\.\CONIN$` : '/dev/tty');
  if (inputFd === undefined) return undefined;
  const outputFd = openDevice(isWindows ? String.raw`\\.\CONOUT$` : '/dev/tty');
  if (outputFd === undefined) {
    closeSync(inputFd);
    return undefined;
  }
  const device = new ReadStream(inputFd);
  const output = new WriteStream(outputFd);
  // A terminal that hangs up fails with EIO whatever is done to it. readline, which prompts are made of, throws that where
  // nobody can catch it; so it reads from a stream of ours, for which such a terminal has simply ended.
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => device.setRawMode(isRaw),
  });
  device.on('error', () => input.end());
  device.pipe(input);
  output.on('error', () => input.end());
  return {
    input,
    output,
    [Symbol.dispose]() {
      device.destroy();
      output.destroy();
      input.destroy();
    },
  };
}

function openDevice(path: string): number | undefined {
  let fd: number;
  try {
    // Both directions: a console refuses to change its mode through a handle that can't write.
    fd = openSync(path, 'r+');
  } catch {
    return undefined;
  }
  if (isatty(fd)) return fd;
  closeSync(fd);
  return undefined;
}
