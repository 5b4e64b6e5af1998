import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openFileStorage } from '../src/index.ts';
import { KEY, hex, makeFolder, sealedNames, seeded, sha256Of } from './support.ts';

const POINTS = Number(process.env['COFFER_CRASH_POINTS'] ?? 200);
const SEED = Number(process.env['COFFER_CRASH_SEED'] ?? 20_261_124);
const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url));

/** Runs the child until it has said `lines` lines and `delayMs` more have passed, then kills it. Returns what it said. */
async function runAndKill(
  directory: string,
  seed: number,
  lines: number,
  delayMs: number,
): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const said: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length >= lines && timer === undefined) timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
  }
  clearTimeout(timer);
  expect(await closed, 'the child ended by itself').toEqual([null, 'SIGKILL']);
  return said;
}

test(`after kill -9 at ${String(POINTS)} seeded points nothing acknowledged is lost and nothing is left over`, async () => {
  const random = seeded(SEED);
  const directory = makeFolder();
  const acknowledged = new Map<string, string>();
  const deleted = new Set<string>();
  for (let point = 0; point < POINTS; point++) {
    const said = await runAndKill(directory, point, 1 + Math.floor(random() * 12), random() * 25);
    expect(said[0], 'the child did not start').toBe('ready');
    for (const line of said) {
      const [what, id = '', hash = ''] = line.split(' ');
      if (what === 'saved') acknowledged.set(id, hash);
      if (what === 'deleting') {
        acknowledged.delete(id);
      }
      if (what === 'deleted') deleted.add(id);
    }
    await using owned = await openFileStorage({ directory, key: KEY });
    const rows = new Map(
      owned.storage.listFiles({ limit: 10_000 }).rows.map((row) => [row.id as string, row]),
    );
    // Acknowledged files are there; a deletion that was under way is done or not, an acknowledged one is done.
    for (const id of acknowledged.keys())
      expect(rows.has(id), `file ${id} at point ${String(point)}`).toBe(true);
    for (const id of deleted)
      expect(rows.has(id), `deleted file ${id} at point ${String(point)}`).toBe(false);
    // No orphan after recovery: the folder has the sealed files of the rows, and nothing else.
    const expected = [...rows.values()]
      .filter((row) => row.placement === 'sealed')
      .map((row) => `${row.id}.enc`);
    expect(sealedNames(directory)).toEqual(expected.sort());
    expect(existsSync(join(directory, 'quarantine'))).toBe(false);
    // Every file is whole, also those that were saved but not acknowledged.
    for (const row of rows.values()) {
      const content = await owned.storage.getFile(row.id);
      expect(hex(row.sha256)).toBe(sha256Of(content));
      const hash = acknowledged.get(row.id);
      if (hash !== undefined) expect(sha256Of(content)).toBe(hash);
      // Kept small, so that 200 rounds stay quick.
      if (rows.size > 12) {
        await owned.storage.deleteFile(row.id);
        rows.delete(row.id);
        acknowledged.delete(row.id);
      }
    }
  }
}, 1_800_000);
