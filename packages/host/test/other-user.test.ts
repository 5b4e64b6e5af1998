import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';
import { socketPath } from '../src/place/socket-place.ts';
import { ServedVault } from './support/served-vault.ts';

const NOBODY = 65_534;

test.skipIf(process.geteuid?.() !== 0)(
  'another user can not connect (needs root, to become one)',
  async () => {
    await using served = await ServedVault.create();
    // All that is above the runtime folder is open to everybody.
    chmodSync(served.made.folder, 0o755);
    const connect = `require('node:net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('error', ({ code }) => console.log(code))`;
    const asUser = (path: string, uid: number): string => {
      const script = `process.setgid(${String(uid)}); process.setuid(${String(uid)}); ${connect}`;
      const { stdout } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' });
      return stdout.trim();
    };
    const path = socketPath(served.server.place);
    expect(asUser(path, NOBODY)).toBe('EACCES');
    // Even where the folders let everybody in, the socket's own mode does not.
    chmodSync(served.made.path('run'), 0o755);
    chmodSync(served.server.place.folder, 0o755);
    expect(asUser(path, NOBODY)).toBe('EACCES');
  },
);
