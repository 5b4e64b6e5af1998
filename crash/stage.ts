import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRecoveryCode } from '../packages/vault/src/index.ts';
import type { SlotSecret } from '../packages/vault/src/index.ts';
import type { ContentName } from './contents.ts';

export type KeyName = 'owner' | 'second';

export const PASSPHRASES = { old: 'the old passphrase of the crash tests', next: 'the next one of them' };

/**
 * Where an operation takes place. `disk` is what a crash leaves behind and what is examined afterwards; `shelf` has what the operation only
 * reads (sources, key files), and is the same for all.
 *
 * ```
 * disk/vault    the vault
 * disk/out      where files are restored and backups are written to
 * disk/tmp      the child's temporary folder
 * shelf/…       a file for each content
 * shelf/keys/…  key files
 * ```
 */
export class Stage {
  readonly disk: string;
  readonly shelf: string;

  constructor(disk: string, shelf: string) {
    this.disk = disk;
    this.shelf = shelf;
  }

  get vault(): string {
    return join(this.disk, 'vault');
  }

  get out(): string {
    return join(this.disk, 'out');
  }

  get tmp(): string {
    return join(this.disk, 'tmp');
  }

  source(name: ContentName): string {
    return join(this.shelf, name);
  }

  keyfile(name: KeyName): string {
    return join(this.shelf, 'keys', name);
  }

  secret(name: KeyName): SlotSecret {
    return { kind: 'keyfile', path: this.keyfile(name) };
  }

  /** Another one, with the same shelf. */
  beside(name: string): Stage {
    return new Stage(join(dirname(this.disk), name), this.shelf);
  }

  makeFolders(): void {
    for (const folder of [this.out, this.tmp]) mkdirSync(folder, { recursive: true });
  }
}

export function passphrase(which: keyof typeof PASSPHRASES): SlotSecret {
  return { kind: 'passphrase', passphrase: new TextEncoder().encode(PASSPHRASES[which]) };
}

/** The same one each time. */
export function recoveryCode(which: keyof typeof PASSPHRASES): Uint8Array {
  return createRecoveryCode(new Uint8Array(20).fill(which.length));
}
