import { randomBytes } from '@coffer/crypto';
import { VaultError } from './errors.ts';

// Crockford's base32: no I, L, O and U, which are mistaken for 1, 1, 0 and V.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LOOK_ALIKES: Readonly<Record<string, string>> = { I: '1', L: '1', O: '0', U: 'V' };

const GROUPS = 8;
const DATA_PER_GROUP = 4;
const GROUP_SIZE = DATA_PER_GROUP + 1;
const SECRET_SIZE_BYTES = 20;
const MAX_INPUT_SIZE_BYTES = 4096;

const VALUES: ReadonlyMap<number, number> = new Map(
  Array.from(ALPHABET, (character, value) => [character.charCodeAt(0), value]),
);
const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const DASH = 0x2d;

/**
 * A new recovery code as people get to see it, in ASCII: 8 groups of 5 characters with dashes between them. It holds 160 random bits and, in
 * the last character of each group, a checksum (docs/spec/vault-file.md). The caller zeroes it.
 */
export function createRecoveryCode(
  secret: Uint8Array = randomBytes(SECRET_SIZE_BYTES),
): Uint8Array<ArrayBuffer> {
  const code = new Uint8Array(GROUPS * (GROUP_SIZE + 1) - 1).fill(DASH);
  const data = new Uint8Array(DATA_PER_GROUP);
  for (let group = 0; group < GROUPS; group += 1) {
    for (let place = 0; place < DATA_PER_GROUP; place += 1) {
      data[place] = fiveBitsAt(secret, group * DATA_PER_GROUP + place);
    }
    const at = group * (GROUP_SIZE + 1);
    for (const [place, value] of [...data, checkOf(data, group)].entries()) {
      code[at + place] = ALPHABET.charCodeAt(value);
    }
  }
  data.fill(0);
  return code;
}

/**
 * The 20 bytes of a recovery code as somebody typed it or a file holds it. Case, spaces, dashes and line breaks do not matter, O is 0, I and L are
 * 1, U is V, and lines that start with `#` are passed over. Any one character that is wrong, and any two neighbours that changed places, are
 * noticed, and the error names the group. The caller zeroes both.
 *
 * @throws VaultError INVALID_INPUT
 */
export function parseRecoveryCode(typed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (typed.length > MAX_INPUT_SIZE_BYTES) throw invalid('this is too long for a recovery code');
  const plain = withPlainSeparators(typed);
  const values = new Uint8Array(GROUPS * GROUP_SIZE);
  try {
    readValues(plain, values);
    const wrong = wrongGroups(values);
    if (wrong.length > 0) throw mistyped(values, wrong);
    return joinFiveBits(values);
  } finally {
    values.fill(0);
    if (plain !== typed) plain.fill(0);
  }
}

/** Fills `values` with those of the characters, and refuses everything that is not eight groups of five. */
function readValues(plain: Uint8Array, values: Uint8Array): void {
  let count = 0;
  let inGroup = 0;
  const groupSizes: number[] = [];
  const endGroup = (): void => {
    if (inGroup > 0) groupSizes.push(inGroup);
    inGroup = 0;
  };
  for (const byte of withoutComments(plain)) {
    if (isSeparator(byte)) {
      endGroup();
      continue;
    }
    const value = valueOf(byte);
    if (value === undefined) {
      const group = Math.min(GROUPS, Math.floor(count / GROUP_SIZE) + 1);
      throw invalid(`group ${String(group)} of the recovery code has a character that is never in one`);
    }
    if (count < values.length) values[count] = value;
    count += 1;
    inGroup += 1;
  }
  endGroup();
  if (count === values.length) return;
  if (count === 0) throw invalid('the recovery code is empty');
  const wrongSize = groupSizes.findIndex((size) => size !== GROUP_SIZE);
  const isGrouped = groupSizes.length === GROUPS && wrongSize >= 0;
  throw isGrouped
    ? invalid(
        `group ${String(wrongSize + 1)} of the recovery code has ${String(groupSizes[wrongSize])} characters instead of ${String(GROUP_SIZE)}`,
      )
    : invalid(`the recovery code has ${String(count)} characters instead of ${String(values.length)}`);
}

function* withoutComments(bytes: Uint8Array): Generator<number> {
  let isLineStart = true;
  let isComment = false;
  for (const byte of bytes) {
    if (isLineStart) isComment = byte === HASH;
    isLineStart = byte === LF || byte === CR;
    if (!isComment || isLineStart) yield byte;
  }
}

/** What word processors and web pages make of dashes and spaces; a code without them never passes through a string. */
function withPlainSeparators(typed: Uint8Array): Uint8Array {
  if (typed.every((byte) => byte < 0x80)) return typed;
  const text = new TextDecoder().decode(typed);
  return new TextEncoder().encode(text.replace(/[\u00a0\u2007-\u2015\u202f\u2212\ufeff]/g, '-'));
}

function isSeparator(byte: number): boolean {
  return byte === DASH || byte === 0x20 || (byte >= 0x09 && byte <= CR) || byte === 0x2e || byte === 0x5f;
}

function valueOf(byte: number): number | undefined {
  const upper = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
  const meant = LOOK_ALIKES[String.fromCharCode(upper)];
  return VALUES.get(meant === undefined ? upper : meant.charCodeAt(0));
}

/**
 * The check of a group: with its four values d0 to d3 and the number g of the group (1 to 8), α⁴·d0 + α³·d1 + α²·d2 + α·d3 + g in GF(2⁵) modulo
 * x⁵ + x² + 1, α = 2. The weights, and the 1 of the check itself, are all different and none is zero: any one wrong character and any two
 * that changed places show; g shows groups that did.
 */
function checkOf(data: Uint8Array, group: number): number {
  let sum = 0;
  for (const value of data) {
    const doubled = (sum ^ value) << 1;
    sum = doubled & 0x20 ? doubled ^ 0x25 : doubled;
  }
  return sum ^ (group + 1);
}

function wrongGroups(values: Uint8Array): number[] {
  return Array.from({ length: GROUPS }, (_, group) => group).filter(
    (group) => !isRight(values, group, group),
  );
}

/** Whether what stands in the place of group `at` would be right as group `as`. */
function isRight(values: Uint8Array, at: number, as: number): boolean {
  const start = at * GROUP_SIZE;
  const data = values.subarray(start, start + DATA_PER_GROUP);
  return checkOf(data, as) === values[start + DATA_PER_GROUP];
}

function mistyped(values: Uint8Array, wrong: readonly number[]): VaultError {
  const [first = 0, second = 0] = wrong;
  const names = wrong.map((group) => String(group + 1));
  if (wrong.length === 1) return invalid(`group ${String(first + 1)} of the recovery code has a mistake`);
  if (wrong.length > GROUPS / 2)
    return invalid('this is not a recovery code of Coffer, or it has mistakes in most of its groups');
  if (wrong.length === 2 && isRight(values, first, second) && isRight(values, second, first)) {
    return invalid(
      `groups ${names.join(' and ')} of the recovery code seem to have changed places, or have mistakes`,
    );
  }
  const listed = `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
  return invalid(`groups ${listed} of the recovery code have mistakes`);
}

function fiveBitsAt(bytes: Uint8Array, index: number): number {
  const bit = index * 5;
  const at = bit >> 3;
  const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return (pair >> (11 - (bit & 7))) & 0x1f;
}

/** The data of all groups, most significant bit first. */
function joinFiveBits(values: Uint8Array): Uint8Array<ArrayBuffer> {
  const secret = new Uint8Array(SECRET_SIZE_BYTES);
  let index = 0;
  for (const [place, value] of values.entries()) {
    if (place % GROUP_SIZE === DATA_PER_GROUP) continue;
    for (let bit = 0; bit < 5; bit += 1) {
      const at = index * 5 + bit;
      if (value & (0x10 >> bit)) secret[at >> 3] = (secret[at >> 3] ?? 0) | (0x80 >> (at & 7));
    }
    index += 1;
  }
  return secret;
}

function invalid(message: string): VaultError {
  return new VaultError('INVALID_INPUT', message, {
    hint: 'a recovery code has 8 groups of 5 letters and digits; case, spaces and dashes do not matter',
  });
}
