import { writeSync } from 'node:fs';

/** Writes all of `bytes` at `position`: a nearly full disk or a signal may end a write early. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
