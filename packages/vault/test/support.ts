import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { createKeyfile } from '../src/keyfile.ts';
import { vaultPaths } from '../src/paths.ts';
import type { VaultPaths } from '../src/paths.ts';
import type { Argon2idCost, SlotSecret } from '../src/slots/slot.ts';

/** A test of modes, links or FIFOs, which Windows does not have, or not for everybody. */
export const onPosix: ReturnType<typeof test.skipIf> = test.skipIf(process.platform === 'win32');

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

  /** A folder in it, which goes with it. */
  sub(name: string): TestFolder {
    mkdirSync(this.join(name), { mode: 0o700 });
    return new TestFolder(this.join(name));
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
export async function newKeyfile(
  folder: TestFolder,
  name: string,
): Promise<SlotSecret & { readonly kind: 'keyfile' }> {
  const path = folder.join(name);
  await createKeyfile(path);
  return { kind: 'keyfile', path };
}
