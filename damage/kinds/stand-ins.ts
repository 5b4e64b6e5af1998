import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { isAffecting } from './closed-case.ts';
import type { ClosedCase } from './closed-case.ts';

/** What can be made under a name instead of a file. One of them leads to what is not there in `root`. */
export function others(root: string): readonly (readonly [string, (path: string) => void])[] {
  return [
    [
      'an empty file',
      (path): void => {
        writeFileSync(path, '', { mode: 0o600 });
      },
    ],
    [
      'an empty folder',
      (path): void => {
        mkdirSync(path, { mode: 0o700 });
      },
    ],
    [
      'a folder with a file',
      (path): void => {
        mkdirSync(path, { mode: 0o700 });
        writeFileSync(join(path, 'x'), 'x');
      },
    ],
    [
      'a link to nothing',
      (path): void => {
        symlinkSync(join(root, 'nothing'), path);
      },
    ],
    [
      'a link to itself',
      (path): void => {
        symlinkSync(path, path);
      },
    ],
    [
      'a link to a device that never ends',
      (path): void => {
        symlinkSync('/dev/zero', path);
      },
    ],
    [
      'a FIFO',
      (path): void => {
        execFileSync('mkfifo', ['-m', '600', path]);
      },
    ],
  ];
}

/** A socket in the place of a file. */
export function* socketInstead(shown: string, name: string, path: string): Generator<ClosedCase> {
  let server: Server | undefined;
  yield {
    name: `${shown}: a socket`,
    touches: [name],
    damage: async () => {
      rmSync(path);
      const listening = createServer();
      server = listening;
      await new Promise<void>((done) => listening.listen(path, done));
    },
    judge: (met) => isAffecting(met, [shown]),
    after: async () => {
      await new Promise((done) => server?.close(done));
    },
  };
}
