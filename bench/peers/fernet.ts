import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

/** The whole file is one token, in memory several times over. */
const MAX_SIZE_BYTES = 256 * 1024 * 1024;

export const findFernet: FindPeer = (workspace) => {
  const ask = 'import cryptography, sys; print(sys.executable); print(cryptography.__version__)';
  const { status, stdout } = spawnSync('python3', ['-c', ask], { encoding: 'utf8' });
  if (status !== 0) return Promise.resolve('Python Fernet: no python3 with the cryptography package on PATH');
  const [python = 'python3', version = 'unknown'] = stdout.trim().split('\n');
  const keyFile = join(workspace.folder('fernet'), 'key');
  writeFileSync(keyFile, Buffer.alloc(32, 7).toString('base64url') + '=');
  const script = join(import.meta.dirname, 'fernet.py');
  const sealed = (folder: string): string => join(folder, 'sealed.fernet');
  const run = (how: 'encrypt' | 'decrypt', from: string, to: string) =>
    runDurably(python, [script, how, keyFile, from, to], to);
  return Promise.resolve({
    name: 'Python Fernet',
    version,
    about: 'AES-128-CBC with HMAC-SHA-256 and Base64, all in memory; 256 MiB',
    takesFolders: false,
    maxSizeBytes: MAX_SIZE_BYTES,
    seal: (source, folder) => run('encrypt', source, sealed(folder)),
    open: (folder, target) => run('decrypt', sealed(folder), target),
  });
};
