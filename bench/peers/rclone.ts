import { mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runProcess } from '../harness/measured-process.ts';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

export const findRclone: FindPeer = async (workspace) => {
  const version = findVersion('rclone', ['version']);
  if (version === undefined) return 'rclone crypt: not on PATH';
  const home = workspace.folder('rclone');
  const { stdout: password } = await runProcess('rclone', ['obscure', 'correct horse battery staple']);
  // A remote called `sealed`, made of environment variables alone.
  const options = (folder: string) => ({
    env: {
      RCLONE_CONFIG: join(home, 'rclone.conf'),
      RCLONE_CONFIG_SEALED_TYPE: 'crypt',
      RCLONE_CONFIG_SEALED_REMOTE: join(folder, 'remote'),
      RCLONE_CONFIG_SEALED_PASSWORD: password.trim(),
    },
  });
  return {
    name: 'rclone crypt',
    version,
    about: 'XSalsa20-Poly1305, to a local folder',
    takesFolders: true,
    seal: (source, folder) => {
      mkdirSync(join(folder, 'remote'));
      const target = statSync(source).isDirectory() ? 'sealed:' : `sealed:${basename(source)}`;
      const how = statSync(source).isDirectory() ? 'copy' : 'copyto';
      return runDurably('rclone', ['-q', how, source, target], join(folder, 'remote'), options(folder));
    },
    open: (folder, target) =>
      runDurably('rclone', ['-q', 'copy', 'sealed:', target], target, options(folder)),
  };
};
