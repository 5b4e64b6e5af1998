import { hexToBytes } from '@coffer/crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoadedSecret, loadSecret } from '../../src/slots/loaded-secret.ts';
import type { SlotSecret } from '../../src/slots/slot.ts';
import type { TestFolder } from '../support.ts';

/** What vectors/vault-file holds; made by make.py there. */
export const VECTORS = join(import.meta.dirname, '../../../../vectors/vault-file');

export type VectorSecret =
  | { readonly kind: 'passphrase'; readonly passphraseHex: string }
  | { readonly kind: 'keyfile'; readonly keyfile: string }
  | { readonly kind: 'recovery'; readonly code: string }
  /** What the keychain's item of a slot holds. */
  | { readonly kind: 'keychain'; readonly slotId: string; readonly keyHex: string };

export interface VaultFileVectors {
  readonly rootKeyHex: string;
  readonly previousRootKeyHex: string;
  readonly vaultId: string;
  readonly valid: readonly {
    readonly name: string;
    readonly fileBase64: string;
    readonly opens: readonly { readonly secret: VectorSecret; readonly slotId: string }[];
  }[];
  readonly refusedAtReading: readonly {
    readonly name: string;
    readonly fileBase64: string;
    readonly code: string;
  }[];
  readonly refusedAtUnlocking: readonly {
    readonly name: string;
    readonly fileBase64: string;
    readonly secret: VectorSecret;
    readonly code: string;
  }[];
}

export interface KeyfileVector {
  readonly name: string;
  /** One character is one byte. */
  readonly text: string;
  readonly keyHex?: string;
  readonly code?: string;
}

export interface RecoveryCodeVector {
  readonly name: string;
  readonly code: string;
  readonly secretHex?: string;
}

export interface PassphraseVector {
  readonly name: string;
  readonly inputHex: string;
  readonly normalHex?: string;
}

export const vaultFileVectors = read('vault-files.json') as VaultFileVectors;
export const keyfileVectors = (read('keyfiles.json') as { keyfiles: KeyfileVector[] }).keyfiles;
export const recoveryCodeVectors = (read('recovery-codes.json') as { recoveryCodes: RecoveryCodeVector[] })
  .recoveryCodes;
export const passphraseVectors = (read('passphrases.json') as { passphrases: PassphraseVector[] })
  .passphrases;

/** The secret of a vector, as a person would have it: the keyfile is written into `folder`. */
async function secretOf(vector: VectorSecret, folder: TestFolder): Promise<SlotSecret> {
  if (vector.kind === 'keychain') return vector;
  if (vector.kind === 'recovery') return { kind: 'recovery', code: new TextEncoder().encode(vector.code) };
  if (vector.kind === 'passphrase') {
    return { kind: 'passphrase', passphrase: new Uint8Array(Buffer.from(vector.passphraseHex, 'hex')) };
  }
  const path = folder.join('keyfile');
  await writeFile(path, vector.keyfile, { mode: 0o600 });
  return { kind: 'keyfile', path };
}

/** The same, read; for a slot of the keychain without asking one. */
export async function loadedOf(vector: VectorSecret, folder: TestFolder): Promise<LoadedSecret> {
  if (vector.kind !== 'keychain')
    return await loadSecret(await secretOf(vector, folder), { vaultId: '', slots: [] });
  return new LoadedSecret('keychain', new Map([[vector.slotId, hexToBytes(vector.keyHex)]]));
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(VECTORS, name), 'utf8'));
}
