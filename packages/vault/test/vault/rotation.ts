import { SecretKey, decodeHeader, hexToBytes } from '@coffer/crypto';
import { openDatabase, scanPages } from '@coffer/database';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SlotSecret, Vault } from '../../src/index.ts';
import type { KeptSlot, RotateEvent, RotateOptions } from '../../src/index.ts';
import { vaultPaths } from '../../src/paths.ts';
import { isAuthentic } from '../../src/vault-file/encode.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { all } from './test-vault.ts';

/** Where the wrapped key is in a header block. */
const WRAPPED_KEY = { start: 40, end: 145 } as const;
const BLOCK_SIZE_BYTES = 4096;

/** The root key that a secret opens now, as somebody who was careful has kept it. */
export async function stealRootKey(directory: string, secret: SlotSecret): Promise<SecretKey> {
  const { rootKey } = await unlockVaultFile(await readVaultFile(vaultPaths(directory)), secret);
  return rootKey;
}

/** Everything that wraps a key in the files of a vault: tokens of headers, and of slots as they are in vault.json. */
export function wrappedKeys(directory: string): Buffer[] {
  const found: Buffer[] = [];
  for (const path of headerFiles(directory)) {
    const bytes = readFileSync(path);
    for (const place of [0, 1]) {
      const block = bytes.subarray(place * BLOCK_SIZE_BYTES, (place + 1) * BLOCK_SIZE_BYTES);
      if (block.some((byte) => byte !== 0)) found.push(block.subarray(WRAPPED_KEY.start, WRAPPED_KEY.end));
    }
  }
  const json = JSON.parse(readFileSync(join(directory, 'vault.json'), 'utf8')) as {
    slots: { wrappedKey: string }[];
  };
  return [...found, ...json.slots.map(({ wrappedKey }) => Buffer.from(wrappedKey))];
}

/** Tries an old root key on everything: pages of the database, headers, key slots. For a vault that is closed. */
export async function expectOpensNothing(directory: string, root: SecretKey): Promise<void> {
  const path = join(directory, 'data.db');
  using databaseKey = root.derive('coffer/database/v1');
  const key = databaseKey.exportBytes();
  expect(() => openDatabase({ path, key })).toThrow(expect.objectContaining({ code: 'WRONG_KEY' }));
  const scan = await scanPages({ path, key });
  expect(scan.damagedPages).toHaveLength(scan.pageCount);
  using storageKey = root.derive('coffer/storage/v1');
  for (const file of headerFiles(directory)) {
    const header = readFileSync(file).subarray(0, 2 * BLOCK_SIZE_BYTES);
    const fileId = hexToBytes(/([0-9a-f]{32})\.enc/.exec(file)?.[1] ?? '');
    // Whatever epoch it claims.
    expect(() => decodeHeader(header, { storageKeyOf: () => storageKey, fileId }), file).toThrow();
    const blocks = [header.subarray(0, BLOCK_SIZE_BYTES), header.subarray(BLOCK_SIZE_BYTES)];
    expect(
      blocks.filter((block) => block.some((byte) => byte !== 0)),
      file,
    ).toHaveLength(1);
  }
  const { current, other } = await readVaultFile(vaultPaths(directory));
  expect(other).toBeUndefined();
  expect(isAuthentic(current, root)).toBe(false);
  expect(current.content.previous).toBeUndefined();
}

/** No file of the vault, whatever it is, has one of these in it. */
export function expectNowhere(directory: string, needles: readonly Buffer[]): void {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of names.filter((each) => each.isFile())) {
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    for (const needle of needles) expect(bytes.includes(needle), `${entry.name} has an old key`).toBe(false);
  }
}

export function headerFiles(directory: string): string[] {
  return ['files', 'quarantine'].flatMap((folder) => {
    try {
      return readdirSync(join(directory, folder)).map((name) => join(directory, folder, name));
    } catch {
      return [];
    }
  });
}

/** Keeps the slot of the kind of each secret, and drops all others. */
export function keeping(
  vault: Vault,
  ...secrets: SlotSecret[]
): Pick<RotateOptions, 'keep' | 'drop'> & { keep: KeptSlot[] } {
  const slots = [...vault.slots()];
  const keep = secrets.map((secret) => {
    const at = slots.findIndex(({ kind }) => kind === secret.kind);
    const [slot] = slots.splice(at, 1);
    if (slot === undefined) throw new Error(`there is no slot for a ${secret.kind}`);
    return { slotId: slot.id, secret };
  });
  return { keep, drop: slots.map(({ id }) => id) };
}

export async function rotate(vault: Vault, options: RotateOptions): Promise<RotateEvent[]> {
  return all(vault.rotate(options));
}

/** What the last event says. */
export function summaryOf(events: readonly RotateEvent[]): Extract<RotateEvent, { type: 'summary' }> {
  const last = events.at(-1);
  if (last?.type !== 'summary') throw new Error('the last event is no summary');
  return last;
}
