import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openVault } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { TestVault, all } from '../vault/test-vault.ts';

/** Half of them for backups, half for restoring. `COFFER_BACKUP_CRASH_POINTS=1000` for a long run. */
const POINTS = Number(process.env['COFFER_BACKUP_CRASH_POINTS'] ?? 44);
const SEED = Number(process.env['COFFER_BACKUP_CRASH_SEED'] ?? 20_261_124);
const CHILD = join(import.meta.dirname, 'backup-child.ts');

/** mulberry32: a failing run can be run again with its seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When to kill: so long after the child has said so many lines, or at the so many-th change in the watched folders after that. */
interface KillPoint {
  readonly lines: number;
  readonly delayMs?: number;
  readonly changes?: number;
}

/** Runs the child until the point comes, and returns what it said. */
async function runAndKill(
  args: readonly string[],
  watched: readonly string[],
  point: KillPoint,
): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  const said: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let changes = 0;
  const watchers = watched
    .filter((path) => existsSync(path))
    .map((path) =>
      watch(path, () => {
        if (said.length < point.lines) return;
        changes++;
        if (point.changes !== undefined && changes >= point.changes) kill();
      }),
    );
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    // A point that never comes is one at the end.
    if (said.length >= point.lines) timer ??= setTimeout(kill, point.delayMs ?? 2000);
  }
  clearTimeout(timer);
  for (const watcher of watchers) watcher.close();
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.exitCode ?? 0, 'the child failed by itself').toBe(0);
  return said;
}

/** What a vault or a backup has, as the child says it; and nothing is wrong with it. */
async function stateOf(vault: Vault): Promise<string> {
  expect(await all(vault.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
  return vault
    .list({ recursive: true, folder: '' })
    .files.map((file) => `${file.path}=${file.sha256}`)
    .join(' ');
}

async function openOrNone(directory: string, made: TestVault): Promise<Vault | undefined> {
  return openVault({ directory, secret: made.secret }).catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'NO_VAULT' });
    return undefined;
  });
}

/** Holds on to a file, and returns what says whether the one that has its name now is another and this one was left as it was. */
function holdOld(path: string): () => boolean {
  if (!existsSync(path)) return () => false;
  const descriptor = openSync(path, 'r');
  return () => {
    try {
      if (statSync(path).ino === fstatSync(descriptor).ino) return false;
      return readFileSync(descriptor).some((byte) => byte !== 0);
    } finally {
      closeSync(descriptor);
    }
  };
}

async function killBackups(points: number, random: () => number): Promise<void> {
  const made = await TestVault.create();
  await made.vault.close();
  const keyfile = made.path('key');
  let backup = made.path('backup-0');
  let acknowledged: string | undefined;
  for (let point = 0; point < points; point++) {
    // Every fourth is the first one in a new place.
    if (point % 4 === 0) {
      backup = made.path(`backup-${String(point)}`);
      acknowledged = undefined;
    }
    const lines = acknowledged === undefined ? 1 : 1 + 2 * Math.floor(random() * 2);
    mkdirSync(backup, { recursive: true, mode: 0o700 });
    const isOldLeft = holdOld(join(backup, 'data.db'));
    const said = await runAndKill(
      ['backup', made.directory, keyfile, backup],
      [backup, join(backup, 'files')],
      {
        lines,
        ...(point % 2 === 0 ? { delayMs: random() * 60 } : { changes: 1 + Math.floor(random() * 30) }),
      },
    );
    const states = said.filter((line) => line.startsWith('begin')).map((line) => line.slice('begin '.length));
    const done = said.filter((line) => line === 'done').length;
    if (done > 0) acknowledged = states[done - 1];
    const possible = [acknowledged, ...states.slice(done)];
    const opened = await openOrNone(backup, made);
    const state = opened === undefined ? undefined : await stateOf(opened);
    await opened?.close();
    expect(isOldLeft(), `the old database, point ${String(point)} of seed ${String(SEED)}`).toBe(false);
    expect(possible, `point ${String(point)} of seed ${String(SEED)}`).toContain(state);
    acknowledged = state;
    if (state !== undefined) {
      expect(readdirSync(backup)).not.toContain('backup.commit');
      expect(readdirSync(backup)).not.toContain('data.db.replaced');
      // The copy of the salt is of this database, and not of the one before.
      const salt = readFileSync(join(backup, 'data.db')).subarray(0, 16);
      expect(readFileSync(join(backup, 'data.db.reserve'))).toEqual(salt);
      expect(readdirSync(join(backup, 'files')).every((name) => name.endsWith('.enc'))).toBe(true);
    }
  }
  await using vault = await openVault({ directory: made.directory, secret: made.secret });
  await stateOf(vault);
  // Nothing that was deleted while a backup ran is left, with its key, in the vault.
  expect(readdirSync(join(made.directory, 'files'))).toHaveLength(vault.status().sealedFiles);
}

async function killRestores(points: number, random: () => number): Promise<void> {
  const made = await TestVault.create();
  for (let file = 0; file < 8; file++)
    await made.put(`file-${String(file)}`, new Uint8Array(file % 2 === 0 ? 10 : 700_000).fill(file));
  const backup = made.path('backup');
  await all(made.vault.backup(backup));
  const expected = await stateOf(made.vault);
  let target = made.path('restored-0');
  for (let point = 0; point < points; point++) {
    mkdirSync(target, { recursive: true, mode: 0o700 });
    const said = await runAndKill(
      ['restore', target, made.path('key'), backup],
      [target, join(target, 'files')],
      {
        lines: 1,
        ...(point % 2 === 0 ? { delayMs: random() * 120 } : { changes: 1 + Math.floor(random() * 40) }),
      },
    );
    expect(said.every((line) => line === 'begin' || line === 'done')).toBe(true);
    const opened = await openOrNone(target, made);
    if (said.includes('done')) expect(opened).toBeDefined();
    if (opened === undefined) continue;
    expect(await stateOf(opened)).toBe(expected);
    await opened.close();
    target = made.path(`restored-${String(point + 1)}`);
  }
}

test(`after kill -9 at ${String(POINTS)} seeded points there is the old backup or the new one, no old database that was not overwritten, and a restored vault is whole or not there`, async () => {
  const random = seeded(SEED);
  // Beside one another: most of the time is that of starting processes.
  await Promise.all([
    killBackups(Math.ceil(POINTS / 4), seeded(random() * 2 ** 32)),
    killBackups(Math.ceil(POINTS / 4), seeded(random() * 2 ** 32)),
    killRestores(Math.ceil(POINTS / 2), seeded(random() * 2 ** 32)),
  ]);
}, 1_800_000);
