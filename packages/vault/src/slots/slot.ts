import * as v from 'valibot';
import { isLabel } from './label.ts';

/** How a slot is opened. */
export type SlotKind = 'passphrase' | HkdfSlotKind;

/** Those whose secret is uniformly random, so that no slow derivation is needed. */
export type HkdfSlotKind = 'keyfile' | 'keychain' | 'recovery';

/**
 * What a person opens a slot with. The passphrase is UTF-8 and the recovery code ASCII, as they were read; whoever made them zeroes them. `keychain` stands for the
 * items that the operating system's keychain has for this vault.
 */
export type SlotSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: Uint8Array }
  | { readonly kind: 'keyfile'; readonly path: string }
  | { readonly kind: 'keychain' }
  | { readonly kind: 'recovery'; readonly code: Uint8Array };

/** What may be shown of a slot. */
export interface SlotInfo {
  /** 8 hex digits. */
  readonly id: string;
  readonly kind: SlotKind;
  readonly createdAtMs: number;
  readonly label: string | undefined;
}

interface SlotBase {
  readonly id: string;
  readonly createdAtMs: number;
  readonly label?: string;
  /** Base64url of a Fernet token of the root key. */
  readonly wrappedKey: string;
}

export interface PassphraseSlot extends SlotBase {
  readonly kind: 'passphrase';
  readonly argon2id: Argon2idCost & { readonly salt: string };
}

export interface HkdfSlot extends SlotBase {
  readonly kind: HkdfSlotKind;
  readonly hkdf: { readonly salt: string };
}

/** A slot as it is in the file. A salt is 32 hex digits. */
export type Slot = PassphraseSlot | HkdfSlot;

/** The cost of deriving a key from a passphrase (RFC 9106). */
export interface Argon2idCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** Second recommended option of RFC 9106 §4. */
export const DEFAULT_ARGON2ID: Argon2idCost = { memoryKiB: 65_536, passes: 3, parallelism: 4 };

/** What a slot may ask for, so that a file made by someone else can't take the machine's memory or hours of its time. */
export const ARGON2ID_BOUNDS: Readonly<
  Record<keyof Argon2idCost, { readonly min: number; readonly max: number }>
> = {
  memoryKiB: { min: 19_456, max: 1_048_576 },
  passes: { min: 2, max: 10 },
  parallelism: { min: 1, max: 4 },
};

export const SALT_SIZE_BYTES = 16;

const MAX_DATE_MS = 8_640_000_000_000_000;

const salt = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
// A Fernet token of 32 bytes, made at time 0: 105 bytes, of which the first 9 are 0x80 and the time.
const wrappedKey = v.pipe(v.string(), v.regex(/^gA{11}[A-Za-z0-9_-]{128}$/));

/** The schema of a wrapped key of 32 bytes. */
export const wrappedKeySchema: v.GenericSchema<unknown, string> = wrappedKey;

function integer(min: number, max: number) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

const costEntries = {
  memoryKiB: integer(ARGON2ID_BOUNDS.memoryKiB.min, ARGON2ID_BOUNDS.memoryKiB.max),
  passes: integer(ARGON2ID_BOUNDS.passes.min, ARGON2ID_BOUNDS.passes.max),
  parallelism: integer(ARGON2ID_BOUNDS.parallelism.min, ARGON2ID_BOUNDS.parallelism.max),
};

const common = {
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  createdAtMs: integer(0, MAX_DATE_MS),
  label: v.exactOptional(v.pipe(v.string(), v.check(isLabel))),
};

const costSchema = v.strictObject(costEntries);

/** The schema of a slot in format version 1: nothing but what it says. */
export const slotSchema: v.GenericSchema<unknown, Slot> = v.variant('kind', [
  v.strictObject({
    ...common,
    kind: v.literal('passphrase'),
    argon2id: v.strictObject({ ...costEntries, salt }),
    wrappedKey,
  }),
  v.strictObject({
    ...common,
    kind: v.picklist(['keyfile', 'keychain', 'recovery']),
    hkdf: v.strictObject({ salt }),
    wrappedKey,
  }),
]);

export function isArgon2idCost(value: unknown): value is Argon2idCost {
  return v.is(costSchema, value);
}

export function slotInfo({ id, kind, createdAtMs, label }: Slot): SlotInfo {
  return { id, kind, createdAtMs, label };
}
