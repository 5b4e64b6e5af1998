import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createKeyfile, createVault, openVault } from '../../src/index.ts';
import type { AddEvent, SlotSecret, Vault } from '../../src/index.ts';
import { stream } from './content.ts';

export { stream } from './content.ts';

/** A folder for one test, with a vault in it that opens with a key file (which costs no Argon2id) and a place for sources. */
export class TestVault {
  readonly root: string;
  readonly secret: SlotSecret;
  vault: Vault;

  private constructor(root: string, secret: SlotSecret, vault: Vault) {
    this.root = root;
    this.secret = secret;
    this.vault = vault;
  }

  static async create(): Promise<TestVault> {
    const root = mkdtempSync(join(tmpdir(), 'coffer-vault-'));
    const secret: SlotSecret = { kind: 'keyfile', path: join(root, 'key') };
    await createKeyfile(secret.path);
    const made = new TestVault(root, secret, await createVault({ directory: join(root, 'vault'), secret }));
    onTestFinished(async () => {
      await made.vault.close();
      rmSync(root, { recursive: true, force: true });
    });
    return made;
  }

  get directory(): string {
    return join(this.root, 'vault');
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  /** Writes a file of this machine, with the folders it is in. */
  source(path: string, content: string | Uint8Array = path): string {
    const full = this.path('source', path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  /** Adds content under a path of the vault. */
  async put(path: string, content: string | Uint8Array = path): Promise<string> {
    const slash = path.lastIndexOf('/');
    const event = await this.vault.addStream(stream(content), {
      name: path.slice(slash + 1),
      folder: slash < 0 ? '' : path.slice(0, slash),
    });
    if (event.type !== 'added') throw new Error(`${path}: ${event.type}`);
    return event.file.id;
  }

  async reopen(): Promise<Vault> {
    await this.vault.close();
    this.vault = await openVault({ directory: this.directory, secret: this.secret });
    return this.vault;
  }

  /** All paths in the vault, sorted. */
  paths(): string[] {
    return this.vault
      .list({ recursive: true, folder: '' })
      .files.map((file) => file.path)
      .sort();
  }

  async text(item: string): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.vault.read(item)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }
}

export async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** Events as short lines: `added a.txt`, `skipped link`, `failed EXISTS`. */
export function brief(events: readonly AddEvent[]): string[] {
  return events.map((event) => {
    switch (event.type) {
      case 'added':
        return `added ${event.file.path}`;
      case 'planned':
        return `planned ${event.path}`;
      case 'skipped':
        return `skipped ${event.reason}`;
      case 'failed':
        return `failed ${event.error.code}`;
    }
  });
}
