import * as v from 'valibot';
import { slotSchema } from '../slots/slot.ts';
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
  readonly slots: readonly Slot[];
}

/** The schema of format version 1: nothing but what it says. */
export const contentSchema: v.GenericSchema<unknown, VaultFileContent> = v.strictObject({
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  vaultId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  generation: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  slots: v.pipe(
    v.array(slotSchema),
    v.minLength(1),
    v.maxLength(MAX_SLOTS),
    v.check(
      (slots) => new Set(slots.map(({ id }) => id)).size === slots.length,
      'two slots have the same id',
    ),
  ),
});

/** A file as it was read: whole, but not authenticated before `isAuthentic` says so. */
export interface ParsedVaultFile {
  readonly content: VaultFileContent;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** What the MAC covers: the file up to its MAC. */
  readonly body: Uint8Array;
  readonly mac: Uint8Array;
}
