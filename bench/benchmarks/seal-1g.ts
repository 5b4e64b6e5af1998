import { join } from 'node:path';
import { measureCeiling } from '../ceiling/ceiling.ts';
import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import { findRatio } from '../harness/report.ts';
import type { Findings, Row, Verdict } from '../harness/report.ts';
import { makeRandomFile } from '../harness/sample-data.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { findPeers } from '../peers/find-peers.ts';
import type { Peer } from '../peers/peer.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';

export const LIBRARY = 'coffer, library';
export const COMMAND = 'coffer, command';
export const CEILING = 'ceiling, in memory';
export const CEILING_WITH_FILES = 'ceiling, with files';

/** Adding a file of 1 GiB of random bytes until it is durable. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = GIB / divisor;
  workspace.requireSpace(6 * sizeBytes);
  const source = workspace.file('source.bin');
  makeRandomFile(source, sizeBytes);
  const { peers, skipped, versions } = await findPeers(workspace);
  const contestants = [
    ...cofferContestants(workspace, source, sizeBytes),
    ...ceilingContestants(workspace, source, sizeBytes),
    ...peers.map((peer) => peerContestant(workspace, peer, source, sizeBytes)),
  ];
  const { rows, failures, disturbances } = await interleave(contestants, rounds);
  return {
    title: `Adding a file of ${String(sizeBytes / GIB)} GiB`,
    rows,
    verdicts: verdictsOf(rows, peers),
    skipped: [...skipped, ...failures],
    disturbances,
    versions,
  };
}

export function cofferContestants(workspace: Workspace, source: string, sizeBytes: number): Contestant[] {
  return [
    {
      name: LIBRARY,
      kind: 'coffer',
      about: '@coffer/vault in an open vault, in a new process; memory with the loader of TypeScript',
      sizeBytes,
      run: async () => {
        const vault = await makeVault(workspace);
        const sample = await runTask({ kind: 'add', ...vault, paths: [source] });
        remove(vault.directory);
        return sample;
      },
    },
    {
      name: COMMAND,
      kind: 'coffer',
      about: '`coffer add` from start to end, opening and closing the vault included',
      sizeBytes,
      run: async () => {
        const vault = await makeVault(workspace);
        const sample = await runCoffer(vault, ['add', source]);
        remove(vault.directory);
        return sample;
      },
    },
  ];
}

export function ceilingContestants(workspace: Workspace, source: string, sizeBytes: number): Contestant[] {
  const about = 'SHA-256, AES-128-CBC and HMAC-SHA-256 of node:crypto, two threads that share nothing';
  return [
    {
      name: CEILING,
      kind: 'limit',
      about,
      sizeBytes,
      run: () => measureCeiling({ work: 'seal', sizeBytes, threads: 2 }),
    },
    {
      name: CEILING_WITH_FILES,
      kind: 'limit',
      about: `${about}; each reads and writes its half of the same file`,
      sizeBytes,
      run: async () => {
        const folder = workspace.folder('ceiling');
        const files = { source, target: join(folder, 'target') };
        const sample = await measureCeiling({ work: 'seal', sizeBytes, threads: 2, files });
        remove(folder);
        return sample;
      },
    },
  ];
}

function peerContestant(workspace: Workspace, peer: Peer, source: string, sizeBytes: number): Contestant {
  const { name, about, maxSizeBytes = sizeBytes } = peer;
  const peerSizeBytes = Math.min(sizeBytes, maxSizeBytes);
  const peerSource = peerSizeBytes === sizeBytes ? source : workspace.file(`source-${name}.bin`);
  if (peerSource !== source) makeRandomFile(peerSource, peerSizeBytes);
  return {
    name,
    kind: name === 'cp' ? 'limit' : 'peer',
    about,
    sizeBytes: peerSizeBytes,
    run: async () => {
      const folder = workspace.folder(name.replaceAll(' ', '-'));
      const sample = await peer.seal(peerSource, folder);
      remove(folder);
      return sample;
    },
  };
}

function verdictsOf(rows: readonly Row[], peers: readonly Peer[]): Verdict[] {
  const atLeast = (what: string, limit: number, name: string, other: string): Verdict[] => {
    const value = findRatio(rows, name, other);
    return value === undefined ? [] : [{ budget: 'add', what, value, unit: '×', limit, atLeast: true }];
  };
  return [
    ...atLeast('add 1 GiB, library, of the two-core ceiling with files', 0.9, LIBRARY, CEILING_WITH_FILES),
    ...atLeast('add 1 GiB, library, of the two-core ceiling in memory', 0.9, LIBRARY, CEILING),
    ...atLeast('add 1 GiB, library, of age', 0.8, LIBRARY, 'age'),
    ...atLeast('add 1 GiB, command, of age', 0.8, COMMAND, 'age'),
    ...peers
      .filter(({ name }) => name !== 'age' && name !== 'cp')
      .flatMap(({ name }) => atLeast(`add 1 GiB, command, of ${name}`, 1, COMMAND, name)),
  ];
}
