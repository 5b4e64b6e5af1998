import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Vault } from '../../src/index.ts';
import { TestVault, all, stream } from '../vault/test-vault.ts';
import { openBackup } from './support.ts';

const SIZES = [10, 90_000, 150_000, 600_000];

/** Adds, replaces, moves and deletes files until it is stopped, and keeps which content each file has ever had. */
class Commotion {
  readonly contents = new Map<string, string>();
  readonly #vault: Vault;
  #turns = 0;
  #isStopped = false;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  get turns(): number {
    return this.#turns;
  }

  async run(seed: number): Promise<void> {
    for (let turn = seed; !this.#isStopped; turn++) {
      await this.#step(turn);
      this.#turns++;
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #step(turn: number): Promise<void> {
    const content = randomBytes(SIZES[turn % SIZES.length] ?? 0);
    const event = await this.#vault.addStream(stream(content), {
      name: `file-${String(turn % 7)}`,
      folder: 'files',
      onConflict: 'replace',
    });
    if (event.type !== 'added') throw new Error(event.type);
    this.contents.set(event.file.id, createHash('sha256').update(content).digest('hex'));
    const { files } = this.#vault.list({ recursive: true, folder: '', sort: 'created' });
    const [oldest] = files;
    if (oldest === undefined) return;
    if (turn % 3 === 0) this.#vault.move(oldest.id, `moved/${oldest.id}`);
    if (turn % 3 === 1 && files.length > 10)
      await all(this.#vault.removePaths([oldest.id, files[1]?.id ?? '']));
  }
}

test('a backup while files are added, replaced, moved and deleted has every file whole, as it once was', async () => {
  const made = await TestVault.create();
  const commotion = new Commotion(made.vault);
  const running = [commotion.run(0), commotion.run(5)];
  const directory = made.path('backup');
  let filesSeen = 0;
  let removedSeen = 0;
  for (let run = 0; run < 8; run++) {
    // Something happens between two events, too.
    for await (const event of made.vault.backup(directory)) {
      expect(event.type).not.toBe('failed');
      if (event.type === 'removed') removedSeen++;
      const { turns } = commotion;
      if (event.type === 'copied') await expect.poll(() => commotion.turns > turns).toBe(true);
    }
    await openBackup(made, directory, async (backup) => {
      expect(await all(backup.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
      const { files } = backup.list({ recursive: true, folder: '' });
      filesSeen += files.length;
      for (const file of files) expect(file.sha256).toBe(commotion.contents.get(file.id));
      // All of a file's row is of one moment: no path has two files.
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    });
    for (const name of readdirSync(join(directory, 'files')))
      expect(statSync(join(directory, 'files', name)).nlink).toBe(1);
  }
  commotion.stop();
  await Promise.all(running);
  expect(filesSeen).toBeGreaterThan(20);
  expect(removedSeen).toBeGreaterThan(0);
  // Nothing that was deleted meanwhile is left in the vault, and with it its key.
  const sealed = made.vault.status().sealedFiles;
  expect(readdirSync(join(made.directory, 'files'))).toHaveLength(sealed);
  expect(await all(made.vault.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
});
