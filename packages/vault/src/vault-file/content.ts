import * as v from 'valibot';
import { slotSchema, wrappedKeySchema } from '../slots/slot.ts';
import type { Slot } from '../slots/slot.ts';

export const FORMAT = 'coffer-vault';
export const FORMAT_VERSION = 1;
export const MAX_FILE_SIZE_BYTES = 65_536;
export const MAX_SLOTS = 16;

/** Everything in the file but its MAC and checksum. */
export interface VaultFileContent {
  readonly format: typeof FORMAT;
  readonly formatVersion: typeof FORMAT_VERSION;
  readonly vaultId: string;
  readonly generation: number;
  /** How often the root key has been replaced, plus one; not there in a vault whose root key is the first. */
  readonly keyEpoch?: number;
  readonly slots: readonly Slot[];
  /** The root key before, while a rotation is not finished. */
  readonly previous?: PreviousRootKey;
}

export interface PreviousRootKey {
  /** Base64url of a Fernet token under HKDF(root key, "coffer/previous/v1"). */
  readonly wrappedKey: string;
  /** Whether the contents are to be sealed again after it. */
  readonly reseal?: true;
}

/** The key epoch of a content: 1 before the first rotation. */
export function keyEpochOf({ keyEpoch = 1 }: VaultFileContent): number {
  return keyEpoch;
}

const MAX_KEY_EPOCH = 2 ** 32 - 1;

/** The schema of format version 1: nothing but what it says. */
export const contentSchema: v.GenericSchema<unknown, VaultFileContent> = v.pipe(
  v.strictObject({
    format: v.literal(FORMAT),
    formatVersion: v.literal(FORMAT_VERSION),
    vaultId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
    generation: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    keyEpoch: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(MAX_KEY_EPOCH))),
    slots: v.pipe(
      v.array(slotSchema),
      v.minLength(1),
      v.maxLength(MAX_SLOTS),
      v.check(
        (slots) => new Set(slots.map(({ id }) => id)).size === slots.length,
        'two slots have the same id',
      ),
    ),
    previous: v.exactOptional(
      v.strictObject({ wrappedKey: wrappedKeySchema, reseal: v.exactOptional(v.literal(true)) }),
    ),
  }),
  v.check(
    ({ keyEpoch, previous }) => previous === undefined || keyEpoch !== undefined,
    'the first root key has none before it',
  ),
);

/** A file as it was read: whole, but not authenticated before `isAuthentic` says so. */
export interface ParsedVaultFile {
  readonly content: VaultFileContent;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** What the MAC covers: the file up to its MAC. */
  readonly body: Uint8Array;
  readonly mac: Uint8Array;
}
