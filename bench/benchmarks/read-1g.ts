import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { measureCeiling } from '../ceiling/ceiling.ts';
import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import type { BenchVault } from '../coffer/vaults.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import type { Sample } from '../harness/measured-process.ts';
import { findRatio } from '../harness/report.ts';
import type { Findings, Row, Verdict } from '../harness/report.ts';
import { makeRandomFile, sha256OfFile } from '../harness/sample-data.ts';
import { warm } from '../harness/warm.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { findPeers } from '../peers/find-peers.ts';
import type { Peer } from '../peers/peer.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import { CEILING, CEILING_WITH_FILES, COMMAND, LIBRARY } from './seal-1g.ts';

const NAME = 'source.bin';

/** Getting a file of 1 GiB back as a file, until it is durable. What comes out is compared once. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = GIB / divisor;
  workspace.requireSpace(12 * sizeBytes);
  const source = workspace.file(NAME);
  makeRandomFile(source, sizeBytes);
  const { peers, skipped, versions } = await findPeers(workspace);
  const vault = await makeVault(workspace);
  await runTask({ kind: 'add', ...vault, paths: [source] });
  const sealed: Contestant[] = [];
  for (const peer of peers) sealed.push(await peerContestant(workspace, peer, source, sizeBytes));
  const contestants = [
    ...(await cofferContestants(workspace, vault, source, sizeBytes)),
    ...ceilingContestants(workspace, sizeBytes),
    ...sealed,
  ];
  const { rows, failures, disturbances } = await interleave(contestants, rounds);
  return {
    title: `Getting a file of ${String(sizeBytes / GIB)} GiB back as a file`,
    rows,
    verdicts: verdictsOf(rows),
    skipped: [...skipped, ...failures],
    disturbances,
    versions,
  };
}

async function cofferContestants(
  workspace: Workspace,
  vault: BenchVault,
  source: string,
  sizeBytes: number,
): Promise<Contestant[]> {
  const toTarget = await opener(workspace, source, vault.directory);
  return [
    {
      name: LIBRARY,
      kind: 'coffer',
      about: '@coffer/vault in an open vault, in a new process: authenticated, and held against the SHA-256',
      sizeBytes,
      run: () => toTarget((destination) => runTask({ kind: 'get', ...vault, items: [NAME], destination })),
    },
    {
      name: COMMAND,
      kind: 'coffer',
      about: '`coffer get` from start to end',
      sizeBytes,
      run: () => toTarget((destination) => runCoffer(vault, ['get', NAME, '-o', destination])),
    },
  ];
}

function ceilingContestants(workspace: Workspace, sizeBytes: number): Contestant[] {
  const about = 'HMAC-SHA-256, AES-128-CBC and SHA-256 of node:crypto, two threads that share nothing';
  return [
    {
      name: CEILING,
      kind: 'limit',
      about,
      sizeBytes,
      run: () => measureCeiling({ work: 'open', sizeBytes, threads: 2 }),
    },
    {
      name: CEILING_WITH_FILES,
      kind: 'limit',
      about: `${about}; each reads and writes its half of the same file`,
      sizeBytes,
      run: async () => {
        const folder = workspace.folder('ceiling');
        warm(workspace.file(NAME));
        const files = { source: workspace.file(NAME), target: join(folder, 'target') };
        const sample = await measureCeiling({ work: 'open', sizeBytes, threads: 2, files });
        remove(folder);
        return sample;
      },
    },
  ];
}

async function peerContestant(
  workspace: Workspace,
  peer: Peer,
  source: string,
  sizeBytes: number,
): Promise<Contestant> {
  const { name, about, maxSizeBytes = sizeBytes } = peer;
  const peerSizeBytes = Math.min(sizeBytes, maxSizeBytes);
  const peerSource = peerSizeBytes === sizeBytes ? source : workspace.file(`source-${name}.bin`);
  if (peerSource !== source) makeRandomFile(peerSource, peerSizeBytes);
  const folder = workspace.folder(name.replaceAll(' ', '-'));
  const toTarget = await opener(workspace, peerSource, folder);
  const failure = await peer.seal(peerSource, folder).then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    name,
    kind: name === 'cp' ? 'limit' : 'peer',
    about,
    sizeBytes: peerSizeBytes,
    run: async () => {
      if (failure !== undefined)
        throw new Error('what should be opened could not be made', { cause: failure });
      return toTarget((target) => peer.open(folder, target));
    },
  };
}

/** Gives each run a path that is not there yet; what the first run writes must be the source. */
async function opener(
  workspace: Workspace,
  source: string,
  sealed: string,
): Promise<(open: (target: string) => Promise<Sample>) => Promise<Sample>> {
  const expected = await sha256OfFile(source);
  let compared = false;
  return async (open) => {
    const folder = workspace.folder('opened');
    warm(sealed);
    const sample = await open(join(folder, 'target'));
    if (!compared && (await sha256OfFile(theOnlyFile(folder))) !== expected) {
      throw new Error('what came out is not what was put in');
    }
    compared = true;
    remove(folder);
    return sample;
  };
}

/** Some peers restore into folders of their own. */
function theOnlyFile(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path) && statSync(path).isFile());
  const [only] = files;
  if (only === undefined || files.length > 1) throw new Error(`${String(files.length)} files came out`);
  return only;
}

function verdictsOf(rows: readonly Row[]): Verdict[] {
  return [LIBRARY, COMMAND].flatMap((name) => {
    const value = findRatio(rows, name, 'age');
    const what = `get 1 GiB, ${name.replace('coffer, ', '')}, of age`;
    return value === undefined
      ? []
      : [{ budget: 'get', what, value, unit: '×' as const, limit: 1.2, atLeast: true }];
  });
}
