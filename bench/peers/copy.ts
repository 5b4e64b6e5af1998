import { join } from 'node:path';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

/** No encryption at all: what the disk and the page cache allow. */
export const findCopy: FindPeer = () => {
  const version = findVersion('cp');
  if (version === undefined) return Promise.resolve('cp: not on PATH');
  const copy = (source: string, target: string) => runDurably('cp', ['-r', source, target], target);
  return Promise.resolve({
    name: 'cp',
    version,
    about: 'a plain copy: what disk and page cache allow',
    takesFolders: true,
    seal: (source, folder) => copy(source, join(folder, 'copy')),
    open: (folder, target) => copy(join(folder, 'copy'), target),
  });
};
