import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant, Interleaved } from '../harness/interleave.ts';
import { findRatio } from '../harness/report.ts';
import type { Findings, Verdict } from '../harness/report.ts';
import { makeManyFiles } from '../harness/sample-data.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { findPeers } from '../peers/find-peers.ts';
import {
  BARE_LOOP,
  BARE_LOOP_ONE_TABLE,
  SAVE_FILE,
  findSqlcipher,
  putContestants,
} from '../puts/put-contestants.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const FILE_SIZE_BYTES = 4096;
const FILES = 10_000;
const PUTS = 2000;

/** Files of 4 KB: one by one, each durable before the next; and 10,000 of them from a folder. */
export async function run(options: BenchmarkOptions): Promise<Findings> {
  const { workspace, divisor, rounds, sqlcipherFolder } = options;
  const count = Math.ceil(PUTS / divisor);
  const sqlcipher = findSqlcipher(sqlcipherFolder);
  const puts = await interleave(putContestants(workspace, count, FILE_SIZE_BYTES, sqlcipher), rounds);
  const folder = await measureFolder(workspace, Math.ceil(FILES / divisor), rounds);
  return {
    title: 'Files of 4 KB',
    rows: [
      ...puts.rows.map((row) => ({ ...row, group: 'One by one, each durable before the next' })),
      ...folder.rows.map((row) => ({ ...row, group: '10,000 from a folder, durable at the end' })),
    ],
    verdicts: [
      ...atLeast('durable put of 4 KB, of a bare insert loop into the same tables', puts, BARE_LOOP),
      ...atLeast('durable put of 4 KB, of a bare insert loop into one table', puts, BARE_LOOP_ONE_TABLE),
    ],
    skipped: [...(typeof sqlcipher === 'string' ? [sqlcipher] : []), ...puts.failures, ...folder.failures],
    disturbances: [...puts.disturbances, ...folder.disturbances],
    versions: {
      ...(typeof sqlcipher === 'string' ? {} : { [sqlcipher.name]: sqlcipher.version }),
      ...folder.versions,
    },
  };
}

async function measureFolder(
  workspace: Workspace,
  count: number,
  rounds: number,
): Promise<Interleaved & { readonly versions: Readonly<Record<string, string>> }> {
  const source = workspace.folder('source');
  makeManyFiles(source, count, FILE_SIZE_BYTES);
  const shared = { operations: count, sizeBytes: count * FILE_SIZE_BYTES };
  const { peers, skipped, versions } = await findPeers(workspace);
  const coffer: Contestant[] = [
    {
      ...shared,
      name: 'coffer, library',
      kind: 'coffer',
      about: 'addPaths in an open vault, in a new process',
      run: async () => {
        const vault = await makeVault(workspace);
        const sample = await runTask({ kind: 'add', ...vault, paths: [source] });
        remove(vault.directory);
        return sample;
      },
    },
    {
      ...shared,
      name: 'coffer, command',
      kind: 'coffer',
      about: '`coffer add -r` from start to end',
      run: async () => {
        const vault = await makeVault(workspace);
        const sample = await runCoffer(vault, ['add', '-r', source]);
        remove(vault.directory);
        return sample;
      },
    },
  ];
  const others = peers
    .filter(({ takesFolders }) => takesFolders)
    .map((peer): Contestant => ({
      ...shared,
      name: peer.name,
      kind: peer.name === 'cp' ? 'limit' : 'peer',
      about: peer.about,
      run: async () => {
        const folder = workspace.folder('sealed');
        const sample = await peer.seal(source, folder);
        remove(folder);
        return sample;
      },
    }));
  const result = await interleave([...coffer, ...others], rounds);
  const used = Object.fromEntries(others.map(({ name }) => [name, versions[name] ?? 'unknown']));
  const missing = skipped.filter((text) => /gocryptfs|restic|rclone/.test(text));
  return { ...result, failures: [...missing, ...result.failures], versions: used };
}

function atLeast(what: string, { rows }: Interleaved, other: string): Verdict[] {
  const value = findRatio(rows, SAVE_FILE, other);
  return value === undefined ? [] : [{ budget: 'put', what, value, unit: '×', limit: 0.9, atLeast: true }];
}
