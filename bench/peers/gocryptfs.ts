import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processCpuSeconds } from '../harness/cpu-time.ts';
import type { Sample } from '../harness/measured-process.ts';
import { runProcess } from '../harness/measured-process.ts';
import { peakMemoryBytes } from '../harness/peak-memory.ts';
import { findVersion, runDurably } from './commands.ts';
import type { FindPeer } from './peer.ts';

const MOUNT_DEADLINE_MS = 10_000;

export const findGocryptfs: FindPeer = async (workspace) => {
  const version = findVersion('gocryptfs', ['-version']);
  if (version === undefined) return 'gocryptfs: not on PATH';
  const passphrase = join(workspace.folder('gocryptfs'), 'passphrase');
  writeFileSync(passphrase, 'correct horse battery staple');
  const trial = workspace.folder('gocryptfs-trial');
  try {
    await initialize(trial, passphrase);
    await whileMounted(trial, passphrase, () => Promise.resolve({ elapsedMs: 0 }));
  } catch (error) {
    return `gocryptfs: cannot mount (${error instanceof Error ? error.message : String(error)})`;
  }
  return {
    name: 'gocryptfs',
    version,
    about: 'AES-256-GCM; cp into or out of the mounted folder',
    takesFolders: true,
    seal: async (source, folder) => {
      await initialize(folder, passphrase);
      return whileMounted(folder, passphrase, (mount) => {
        // What is in the mount is written through to this folder, which is on the disk.
        return runDurably('cp', ['-r', source, join(mount, 'sealed')], join(folder, 'cipher'));
      });
    },
    // Mounted anew, so that the kernel has kept nothing of the plaintext.
    open: (folder, target) =>
      whileMounted(folder, passphrase, (mount) =>
        runDurably('cp', ['-r', join(mount, 'sealed'), target], target),
      ),
  };
};

async function initialize(folder: string, passphrase: string): Promise<void> {
  mkdirSync(join(folder, 'cipher'));
  mkdirSync(join(folder, 'mount'));
  await runProcess('gocryptfs', [
    '-init',
    '-quiet',
    '-scryptn',
    '10',
    '-passfile',
    passphrase,
    join(folder, 'cipher'),
  ]);
}

/** Adds what the daemon used to what the copying program did. */
async function whileMounted(
  folder: string,
  passphrase: string,
  work: (mount: string) => Promise<Sample>,
): Promise<Sample> {
  const [cipher, mount] = [join(folder, 'cipher'), join(folder, 'mount')];
  const daemon = spawn('gocryptfs', ['-fg', '-quiet', '-passfile', passphrase, cipher, mount], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => daemon.once('close', resolve));
  const { pid } = daemon;
  if (pid === undefined) throw new Error('it did not start');
  try {
    await untilMounted(mount);
    const before = processCpuSeconds(pid) ?? 0;
    const sample = await work(mount);
    const used = (processCpuSeconds(pid) ?? 0) - before;
    return {
      elapsedMs: sample.elapsedMs,
      cpuSeconds: (sample.cpuSeconds ?? 0) + used,
      peakMemoryBytes: peakMemoryBytes(pid),
    };
  } finally {
    if (spawnSync('fusermount3', ['-u', mount]).status !== 0) spawnSync('fusermount', ['-u', mount]);
    daemon.kill();
    await ended;
  }
}

async function untilMounted(mount: string): Promise<void> {
  const deadline = performance.now() + MOUNT_DEADLINE_MS;
  while (spawnSync('mountpoint', ['-q', mount]).status !== 0) {
    if (performance.now() > deadline) throw new Error('it was not mounted in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
