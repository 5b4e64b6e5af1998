import { SEALED_FILE } from '../../packages/crypto/src/index.ts';
import type { SampleFile } from '../vault/sample-vault.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import { sealedKind } from './sealed-case.ts';
import type { SealedCase } from './sealed-case.ts';

const { HEADER_BLOCK_SIZE_BYTES, HEADER_SIZE_BYTES } = SEALED_FILE;

/** Every bit of the header and one bit of every byte of the segments, of a file of three segments. */
export const sealedBytes: readonly Kind[] = [
  sealedKind('a bit of the header place in use', (sample, extent) =>
    flips(sample.file('pictures/one.bin'), sample, { from: 0, to: HEADER_BLOCK_SIZE_BYTES, bits: 8 }, extent),
  ),
  sealedKind('a bit of the free header place', function* (sample, extent) {
    const place = { from: HEADER_BLOCK_SIZE_BYTES, to: HEADER_SIZE_BYTES, bits: 8 };
    for (const each of flips(sample.file('pictures/one.bin'), sample, place, extent))
      yield { ...each, readable: true };
  }),
  sealedKind('a byte of a segment', (sample, extent) => {
    const file = sample.file('pictures/one.bin');
    return flips(
      file,
      sample,
      { from: HEADER_SIZE_BYTES, to: sample.sealedBytes(file).length, bits: 1 },
      extent,
    );
  }),
  sealedKind('a byte of an empty sealed file', (sample, extent) => {
    const file = sample.file('nothing sealed');
    return flips(
      file,
      sample,
      { from: HEADER_SIZE_BYTES, to: sample.sealedBytes(file).length, bits: 8 },
      extent,
    );
  }),
  sealedKind('every bit pattern of the bytes that mean something in a header', function* (sample, extent) {
    const file = sample.file('pictures/two.bin');
    const bytes = sample.sealedBytes(file);
    for (let offset = 0; offset < 177; offset++) {
      for (let pattern = 1; pattern < 256; pattern++) {
        if (isTried(extent)) yield changed(file, bytes, offset, pattern);
      }
    }
  }),
];

interface Range {
  readonly from: number;
  readonly to: number;
  /** How many bits of each byte are flipped, one after the other. */
  readonly bits: number;
}

function* flips(
  file: SampleFile,
  sample: { sealedBytes(file: SampleFile): Buffer },
  { from, to, bits }: Range,
  extent: Extent,
): Generator<SealedCase> {
  const bytes = sample.sealedBytes(file);
  for (let offset = from; offset < to; offset++) {
    for (let bit = 0; bit < bits; bit++) {
      // With one flip for each byte, it is another bit in each.
      if (isTried(extent)) yield changed(file, bytes, offset, 1 << (bits === 1 ? offset % 8 : bit));
    }
  }
}

function changed(file: SampleFile, bytes: Buffer, offset: number, pattern: number): SealedCase {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(offset) ^ pattern, offset);
  return { name: `${file.path} byte ${String(offset)} xor ${String(pattern)}`, bytes: [[file, copy]] };
}
