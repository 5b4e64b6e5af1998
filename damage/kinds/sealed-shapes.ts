import {
  SEALED_FILE,
  decodeHeader,
  encodeHeaderBlock,
  segmentCount,
  segmentOffset,
} from '../../packages/crypto/src/index.ts';
import type { FileKey, SealedHeader } from '../../packages/crypto/src/index.ts';
import { fileIdToBytes, parseFileId } from '../../packages/database/src/index.ts';
import { StorageKeys } from '../../packages/storage/src/index.ts';
import { seededBytes } from '../vault/seeded.ts';
import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import { sealedKind } from './sealed-case.ts';
import type { SealedCase } from './sealed-case.ts';

const { HEADER_BLOCK_SIZE_BYTES: BLOCK, HEADER_SIZE_BYTES: HEADER } = SEALED_FILE;

/** Sealed files of another length, with parts in other places, and with other files' parts. */
export const sealedShapes: readonly Kind[] = [
  sealedKind('a sealed file cut off, at every length', truncations),
  sealedKind('a sealed file with bytes after its end', extensions),
  sealedKind('segments in another order', swappedSegments),
  sealedKind('a segment of another file', splicedSegments),
  sealedKind('a part of another file, header or segments', splicedFiles),
  sealedKind('sealed files in each other’s place', swappedFiles),
  sealedKind('header places zeroed, moved, repeated', headerPlaces),
];

function* truncations(sample: SampleVault, extent: Extent): Generator<SealedCase> {
  for (const path of ['pictures/one.bin', 'nothing sealed']) {
    const file = sample.file(path);
    const bytes = sample.sealedBytes(file);
    for (let length = 0; length < bytes.length; length++) {
      if (!isTried(extent)) continue;
      yield { name: `${path} of ${String(length)} bytes`, bytes: [[file, bytes.subarray(0, length)]] };
    }
  }
}

function* extensions(sample: SampleVault, extent: Extent): Generator<SealedCase> {
  const file = sample.file('pictures/one.bin');
  const bytes = sample.sealedBytes(file);
  const sizes = [...Array.from({ length: 130 }, (_, index) => index + 1), 4096, 4169, BLOCK, 2 ** 18 + 73];
  for (const size of sizes) {
    if (!isTried(extent)) continue;
    const name = `${file.path} with ${String(size)} bytes more`;
    yield { name: `${name}, zeros`, bytes: [[file, Buffer.concat([bytes, Buffer.alloc(size)])]] };
    yield { name: `${name}, random`, bytes: [[file, Buffer.concat([bytes, seededBytes(size, size)])]] };
  }
  // What a reader that trusts the length would take for one more segment.
  const last = bytes.subarray(segmentOffset(2, file.segmentSizeLog2));
  yield { name: 'the final segment twice', bytes: [[file, Buffer.concat([bytes, last])]] };
  const first = tokensOf(file, bytes)[0] ?? Buffer.alloc(0);
  yield { name: 'the first segment again at the end', bytes: [[file, Buffer.concat([bytes, first])]] };
}

function* swappedSegments(sample: SampleVault): Generator<SealedCase> {
  const file = sample.file('pictures/one.bin');
  const header = sample.sealedBytes(file).subarray(0, HEADER);
  const tokens = tokensOf(file, sample.sealedBytes(file));
  const places = tokens.map((_, index) => index);
  // Every way to fill three places with the three segments, each any number of times.
  for (const order of arrangements(places, places.length)) {
    if (order.every((from, to) => from === to)) continue;
    const chosen = order.map((from) => tokens[from] ?? Buffer.alloc(0));
    yield { name: `segments ${order.join(', ')}`, bytes: [[file, Buffer.concat([header, ...chosen])]] };
  }
  for (const without of places) {
    const left = tokens.filter((_, index) => index !== without);
    yield { name: `without segment ${String(without)}`, bytes: [[file, Buffer.concat([header, ...left])]] };
  }
}

function* splicedSegments(sample: SampleVault): Generator<SealedCase> {
  const [one, two] = [sample.file('pictures/one.bin'), sample.file('pictures/two.bin')];
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const theirs = tokensOf(from, sample.sealedBytes(from));
    const ours = tokensOf(to, sample.sealedBytes(to));
    for (const [source, token] of theirs.entries()) {
      for (const place of ours.keys()) {
        const mixed = ours.map((own, index) => (index === place ? token : own));
        const name = `segment ${String(source)} of ${from.path} as segment ${String(place)} of ${to.path}`;
        yield { name, bytes: [[to, Buffer.concat([sample.sealedBytes(to).subarray(0, HEADER), ...mixed])]] };
      }
    }
  }
}

function* splicedFiles(sample: SampleVault): Generator<SealedCase> {
  for (const to of sealed(sample)) {
    for (const from of sealed(sample)) {
      if (from === to) continue;
      const [theirs, ours] = [sample.sealedBytes(from), sample.sealedBytes(to)];
      const name = `${from.path} in ${to.path}`;
      yield {
        name: `the header of ${name}`,
        bytes: [[to, Buffer.concat([theirs.subarray(0, HEADER), ours.subarray(HEADER)])]],
      };
      yield {
        name: `the segments of ${name}`,
        bytes: [[to, Buffer.concat([ours.subarray(0, HEADER), theirs.subarray(HEADER)])]],
      };
      yield { name: `a copy of ${name}`, bytes: [[to, theirs]] };
    }
  }
}

function* swappedFiles(sample: SampleVault): Generator<SealedCase> {
  const files = sealed(sample);
  for (const [index, a] of files.entries()) {
    for (const b of files.slice(index + 1)) {
      yield {
        name: `${a.path} and ${b.path}`,
        bytes: [
          [a, sample.sealedBytes(b)],
          [b, sample.sealedBytes(a)],
        ],
      };
    }
  }
}

function* headerPlaces(sample: SampleVault): Generator<SealedCase> {
  const file = sample.file('pictures/one.bin');
  const bytes = sample.sealedBytes(file);
  using keys = StorageKeys.derive(sample.rootKey);
  const key = keys.get(keys.currentEpoch);
  const { header, fileKey } = decodeHeader(bytes.subarray(0, HEADER), {
    storageKeyOf: (epoch) => keys.find(epoch),
    fileId: idOf(file),
  });
  const used = bytes.subarray(0, BLOCK);
  const free = Buffer.alloc(BLOCK);
  const rest = bytes.subarray(HEADER);
  const block = (changes: Partial<SealedHeader>, under: FileKey = fileKey): Uint8Array =>
    encodeHeaderBlock(key, under, { ...header, ...changes });
  const withPlaces = (name: string, places: readonly Uint8Array[], readable = false): SealedCase => ({
    name,
    bytes: [[file, Buffer.concat([...places, rest])]],
    readable,
  });
  const { fileKey: otherKey } = decodeHeader(
    sample.sealedBytes(sample.file('pictures/two.bin')).subarray(0, HEADER),
    {
      storageKeyOf: (epoch) => keys.find(epoch),
      fileId: idOf(sample.file('pictures/two.bin')),
    },
  );
  yield withPlaces('both zero', [free, free]);
  yield withPlaces('both random', [seededBytes(BLOCK, 1), seededBytes(BLOCK, 2)]);
  yield withPlaces('an old header put into the free place', [block({ sequence: 2n }), used], true);
  yield withPlaces('an old header put into the first place', [used, block({ sequence: 2n })], true);
  yield withPlaces('both with the same sequence number', [used, used], true);
  yield withPlaces('both with the same number, made twice', [used, block({})], true);
  yield withPlaces('an authentic header of another id in both', [
    block({ fileId: new Uint8Array(16) }),
    free,
  ]);
  yield withPlaces('a header of an epoch that is not known', [block({ keyEpoch: 4_000_000 }), free]);
  yield withPlaces('a header of another segment size', [block({ segmentSizeLog2: 13 }), free]);
  yield withPlaces('a header with the key of another file', [block({}, otherKey), free]);
  yield withPlaces('a newer header with the key of another file', [used, block({ sequence: 9n }, otherKey)]);
  yield withPlaces('random bytes beside the header', [used, seededBytes(BLOCK, 3)], true);
  yield withPlaces('the header of another file beside it', [used, otherHeader(sample)], true);
  // The header that a deletion has overwritten to its half.
  for (const length of [1, 40, 145, 177, 4095]) {
    const torn = Buffer.concat([Buffer.alloc(length), used.subarray(length)]);
    yield withPlaces(`the first ${String(length)} bytes zeroed`, [torn, free]);
  }
  fileKey[Symbol.dispose]();
  otherKey[Symbol.dispose]();
}

function otherHeader(sample: SampleVault): Uint8Array {
  return sample.sealedBytes(sample.file('pictures/two.bin')).subarray(0, BLOCK);
}

function idOf({ id }: SampleFile): Uint8Array {
  return fileIdToBytes(parseFileId(id));
}

function sealed(sample: SampleVault): readonly SampleFile[] {
  return sample.files.filter(({ sealedName }) => sealedName !== undefined);
}

function tokensOf({ content, segmentSizeLog2 }: SampleFile, bytes: Buffer): Buffer[] {
  const count = segmentCount(content.length, segmentSizeLog2);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(
      segmentOffset(index, segmentSizeLog2),
      index === count - 1 ? bytes.length : segmentOffset(index + 1, segmentSizeLog2),
    ),
  );
}

function* arrangements(values: readonly number[], length: number): Generator<number[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const rest of arrangements(values, length - 1)) for (const value of values) yield [...rest, value];
}
