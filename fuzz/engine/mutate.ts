import type { Random } from '../targets/target.ts';

const INTERESTING = [0, 1, 2, 0x0a, 0x0d, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xbf, 0xc0, 0xef, 0xff];
const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '15',
  '16',
  '17',
  '255',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '1e999',
  '1.5',
];

export interface MutateOptions {
  readonly random: Random;
  readonly maxSizeBytes: number;
  readonly dictionary: readonly string[];
  /** Another input, to take a piece of. */
  readonly other: Uint8Array;
}

/** An input with one to eight changes, of the kinds that have found bugs in parsers. */
export function mutate(input: Uint8Array, options: MutateOptions): Uint8Array {
  let changed = input;
  for (let count = 1 << pick(options.random, 4); count > 0; count--) {
    const mutation = MUTATIONS[pick(options.random, MUTATIONS.length)];
    if (mutation !== undefined) changed = mutation(changed, options);
  }
  return changed.subarray(0, options.maxSizeBytes);
}

type Mutation = (input: Uint8Array, options: MutateOptions) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (input, { random }) => withByte(input, random, (byte) => byte ^ (1 << pick(random, 8))),
  (input, { random }) => withByte(input, random, () => pick(random, 256)),
  (input, { random }) => withByte(input, random, () => INTERESTING[pick(random, INTERESTING.length)] ?? 0),
  (input, { random }) => withByte(input, random, (byte) => byte + (random() < 0.5 ? 1 : 255)),
  (input, { random }) => splice(input, place(input, random), size(input, random), new Uint8Array(0)),
  (input, { random }) => splice(input, place(input, random), 0, randomBytes(random, 1 + pick(random, 16))),
  (input, { random }) => repeat(input, place(input, random), size(input, random), 1 + pick(random, 8)),
  (input, { random, other }) =>
    splice(input, place(input, random), size(input, random), pieceOf(other, random)),
  (input, { random }) => splice(input, place(input, random), size(input, random), pieceOf(input, random)),
  (input, { random }) => input.subarray(0, place(input, random)),
  (input, { random, dictionary }) =>
    splice(input, place(input, random), random() < 0.5 ? 0 : size(input, random), word(dictionary, random)),
  (input, { random }) => withNumber(input, random),
];

function pick(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function place(input: Uint8Array, random: Random): number {
  return pick(random, input.length + 1);
}

/** Mostly short. */
function size(input: Uint8Array, random: Random): number {
  return Math.min(input.length, 1 << pick(random, random() < 0.1 ? 14 : 6));
}

function withByte(input: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  if (input.length === 0) return input;
  const copy = Uint8Array.from(input);
  const at = pick(random, input.length);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

function splice(input: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const copy = new Uint8Array(at + added.length + Math.max(0, input.length - at - removed));
  copy.set(input.subarray(0, at));
  copy.set(added, at);
  copy.set(input.subarray(Math.min(input.length, at + removed)), at + added.length);
  return copy;
}

function repeat(input: Uint8Array, at: number, length: number, times: number): Uint8Array {
  const piece = input.subarray(at, at + length);
  return splice(
    input,
    at,
    0,
    Uint8Array.from({ length: piece.length * times }, (_, i) => piece[i % piece.length] ?? 0),
  );
}

function pieceOf(input: Uint8Array, random: Random): Uint8Array {
  const at = place(input, random);
  return input.subarray(at, at + size(input, random));
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => pick(random, 256));
}

function word(dictionary: readonly string[], random: Random): Uint8Array {
  return Buffer.from(dictionary[pick(random, dictionary.length)] ?? '');
}

/** Another number in the place of one that is written in digits. */
function withNumber(input: Uint8Array, random: Random): Uint8Array {
  const found = [...Buffer.from(input).toString('latin1').matchAll(/\d+/g)];
  const match = found[pick(random, found.length)];
  if (match === undefined) return input;
  return splice(
    input,
    match.index,
    match[0].length,
    Buffer.from(NUMBERS[pick(random, NUMBERS.length)] ?? ''),
  );
}
