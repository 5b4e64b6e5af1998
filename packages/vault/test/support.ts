import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyfile } from '../src/keyfile.ts';
import { vaultPaths } from '../src/paths.ts';
import type { VaultPaths } from '../src/paths.ts';
import type { Argon2idCost, SlotSecret } from '../src/slots/slot.ts';

/** The least that the format allows, so that tests are fast. */
export const CHEAP: Argon2idCost = { memoryKiB: 19_456, passes: 2, parallelism: 1 };

/** A temporary folder that goes with the test. */
export class TestFolder implements AsyncDisposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<TestFolder> {
    // mkdtemp makes it 0700, as a vault's folder is.
    return new TestFolder(await mkdtemp(join(tmpdir(), 'coffer-slots-')));
  }

  join(...names: string[]): string {
    return join(this.path, ...names);
  }

  vault(): VaultPaths {
    return vaultPaths(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export function passphrase(text: string): SlotSecret {
  return { kind: 'passphrase', passphrase: new TextEncoder().encode(text) };
}

/** A keyfile outside of every vault: one that is never slow to open. */
export async function newKeyfile(folder: TestFolder, name: string): Promise<SlotSecret> {
  const path = folder.join(name);
  await createKeyfile(path);
  return { kind: 'keyfile', path };
}
