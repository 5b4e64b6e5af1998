import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

export const findGpg: FindPeer = async (workspace) => {
  const version = findVersion('gpg');
  if (version === undefined) return 'gpg: not on PATH';
  const home = workspace.folder('gpg');
  const passphrase = join(home, 'passphrase');
  writeFileSync(passphrase, 'correct horse battery staple');
  const options = ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback'];
  const secret = ['--passphrase-file', passphrase];
  // The cheapest passphrase hashing: what is compared is the work on the bytes.
  const cipher = ['--symmetric', '--cipher-algo', 'AES128', '--compress-algo', 'none', '--s2k-count', '1024'];
  const sealed = (folder: string): string => join(folder, 'sealed.gpg');
  const run = (what: readonly string[], from: string, to: string) =>
    runDurably('gpg', [...options, ...secret, ...what, '--output', to, from], to);
  // Its agent is started by the first use and stays; it ends by itself when its folder has gone.
  await run(cipher, passphrase, join(home, 'first.gpg'));
  return {
    name: 'gpg',
    version,
    about: 'AES-128-CFB with a SHA-1 modification code',
    takesFolders: false,
    seal: (source, folder) => run(cipher, source, sealed(folder)),
    open: (folder, target) => run(['--decrypt'], sealed(folder), target),
  };
};
