import { join } from 'node:path';
import { runProcess } from '../harness/measured-process.ts';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

export const findRestic: FindPeer = () => {
  const version = findVersion('restic', ['version']);
  if (version === undefined) return Promise.resolve('restic: not on PATH');
  const options = { env: { RESTIC_PASSWORD: 'correct horse battery staple' } };
  const at = (folder: string): string[] => ['--quiet', '--no-cache', '--repo', join(folder, 'repository')];
  return Promise.resolve({
    name: 'restic',
    version,
    about: 'AES-256-CTR with Poly1305; looks for duplicates; compression off',
    takesFolders: true,
    seal: async (source, folder) => {
      await runProcess('restic', [...at(folder), 'init'], options);
      const args = [...at(folder), '--compression', 'off', 'backup', source];
      return runDurably('restic', args, join(folder, 'repository'), options);
    },
    open: (folder, target) =>
      runDurably('restic', [...at(folder), 'restore', 'latest', '--target', target], target, options),
  });
};
