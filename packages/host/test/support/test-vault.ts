import { createKeyfile, createVault } from '@coffer/vault';
import type { Vault } from '@coffer/vault';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder with a vault in it that opens with a key file. */
export class TestVault implements AsyncDisposable {
  readonly folder: string;
  readonly vault: Vault;

  private constructor(folder: string, vault: Vault) {
    this.folder = folder;
    this.vault = vault;
  }

  static async create(): Promise<TestVault> {
    const folder = mkdtempSync(join(tmpdir(), 'coffer-host-'));
    const path = join(folder, 'key');
    await createKeyfile(path);
    return new TestVault(
      folder,
      await createVault({ directory: join(folder, 'vault'), secret: { kind: 'keyfile', path } }),
    );
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vault.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Adds content under a name. */
export async function put(
  vault: Pick<Vault, 'addStream'>,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(content));
  }
  await vault.addStream(pieces(), { name });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
