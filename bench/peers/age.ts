import { join } from 'node:path';
import { runProcess } from '../harness/measured-process.ts';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

export const findAge: FindPeer = async (workspace) => {
  const version = findVersion('age');
  if (version === undefined || findVersion('age-keygen') === undefined) return 'age: not on PATH';
  const identity = join(workspace.folder('age'), 'identity');
  await runProcess('age-keygen', ['-o', identity]);
  const { stdout: recipient } = await runProcess('age-keygen', ['-y', identity]);
  const sealed = (folder: string): string => join(folder, 'sealed.age');
  return {
    name: 'age',
    version,
    about: 'ChaCha20-Poly1305, one thread, no hash of the content',
    takesFolders: false,
    seal: (source, folder) =>
      runDurably('age', ['-r', recipient.trim(), '-o', sealed(folder), source], sealed(folder)),
    open: (folder, target) => runDurably('age', ['-d', '-i', identity, '-o', target, sealed(folder)], target),
  };
};
