import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createKeyfile, createVault, openVault } from '../../src/index.ts';
import type { SlotSecret, Vault } from '../../src/index.ts';
import { stream } from './test-vault.ts';

/** Whether this user may mount a file system. */
export const canMount: boolean =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;

/** A vault on a file system of its own that can be filled to the last byte. */
export class SmallDisk {
  readonly path: string;
  readonly directory: string;
  readonly secret: SlotSecret;
  vault: Vault;

  private constructor(path: string, secret: SlotSecret, vault: Vault) {
    this.path = path;
    this.directory = join(path, 'vault');
    this.secret = secret;
    this.vault = vault;
  }

  /** `root` is a folder of the test's. */
  static async create(root: string, size: string): Promise<SmallDisk> {
    const path = join(root, 'disk');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]);
    const secret: SlotSecret = { kind: 'keyfile', path: join(root, 'disk-key') };
    await createKeyfile(secret.path);
    return new SmallDisk(path, secret, await createVault({ directory: join(path, 'vault'), secret }));
  }

  async put(path: string, sizeBytes: number): Promise<string> {
    const slash = path.lastIndexOf('/');
    const options = { name: path.slice(slash + 1), folder: slash < 0 ? '' : path.slice(0, slash) };
    const event = await this.vault.addStream(stream(randomBytes(sizeBytes)), options);
    if (event.type !== 'added') throw new Error(`${path}: ${event.type}`);
    return event.file.id;
  }

  async reopen(): Promise<Vault> {
    await this.vault.close();
    this.vault = await openVault({ directory: this.directory, secret: this.secret });
    return this.vault;
  }

  /** To the last byte, or to so many before it. */
  fill(leftBytes = 0): void {
    const descriptor = openSync(join(this.path, 'filler'), 'a');
    try {
      for (;;) writeSync(descriptor, new Uint8Array(4096));
    } catch {
      if (statfsSync(this.path).bavail !== 0) throw new Error('the disk is not full');
      if (leftBytes > 0) ftruncateSync(descriptor, fstatSync(descriptor).size - leftBytes);
    } finally {
      closeSync(descriptor);
    }
  }

  empty(): void {
    rmSync(join(this.path, 'filler'));
  }

  remount(mode: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${mode}`, this.path]);
  }

  async unmount(): Promise<void> {
    await this.vault.close().catch(() => undefined);
    execFileSync('umount', ['-l', this.path]);
  }
}
