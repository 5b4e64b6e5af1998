import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

export const findOpenssl: FindPeer = () => {
  const version = findVersion('openssl', ['version']);
  if (version === undefined) return Promise.resolve('openssl enc: not on PATH');
  const key = ['-K', randomBytes(16).toString('hex'), '-iv', randomBytes(16).toString('hex')];
  const sealed = (folder: string): string => join(folder, 'sealed.bin');
  const run = (direction: '-e' | '-d', from: string, to: string) =>
    runDurably('openssl', ['enc', direction, '-aes-128-cbc', ...key, '-in', from, '-out', to], to);
  return Promise.resolve({
    name: 'openssl enc',
    version,
    about: 'AES-128-CBC alone: no authentication, no hash',
    takesFolders: false,
    seal: (source, folder) => run('-e', source, sealed(folder)),
    open: (folder, target) => run('-d', sealed(folder), target),
  });
};
