import { describe, expect, it } from 'vitest';
import { backends } from '../backends.ts';
import { bytes, codeOf, flips } from '../support.ts';

describe.each(backends)('headers over %s', (_, crypto) => {
  const storageKey = crypto.SecretKey.fromBytes(bytes('55'.repeat(32)));
  const nextStorageKey = crypto.SecretKey.fromBytes(bytes('66'.repeat(32)));
  const fileKey = crypto.FileKey.fromBytes(bytes('77'.repeat(32)));
  const fileId = bytes('000102030405060708090a0b0c0d0e0f');
  const fields = { fileId, keyEpoch: 1, sequence: 1n, segmentSizeLog2: 18 };
  const storageKeyOf = (epoch: number) => new Map([[1, storageKey], [2, nextStorageKey]]).get(epoch); // prettier-ignore
  const decode = (header: Uint8Array) => crypto.decodeHeader(header, { storageKeyOf, fileId });

  it('is a block and a block of zeros', () => {
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    expect(header).toHaveLength(8192);
    expect(header.subarray(177).every((byte) => byte === 0)).toBe(true);
    const { header: decoded, fileKey: opened, place } = decode(header);
    expect(decoded).toEqual(fields);
    expect(place).toBe(0);
    expect(opened.exportBytes()).toEqual(fileKey.exportBytes());
  });

  it('wraps the file key as a Fernet token with time 0', () => {
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    const wrapped = header.subarray(40, 145);
    expect(crypto.openFernet(storageKey.toFernetKey(), wrapped)).toEqual(fileKey.exportBytes());
    expect(wrapped.subarray(1, 9)).toEqual(new Uint8Array(8));
  });

  it('is refused with any bit of it flipped, and never read as another', () => {
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    for (const changed of flips(header.subarray(0, 177))) {
      const damaged = new Uint8Array(header);
      damaged.set(changed);
      expect(codeOf(() => decode(damaged))).toMatch(/^(INVALID_HEADER|UNSUPPORTED|UNKNOWN_KEY_EPOCH)$/);
    }
  });

  it('survives every state of a rewrap that is torn at any sector', () => {
    const before = crypto.encodeHeader(storageKey, fileKey, fields);
    const block = crypto.encodeHeaderBlock(nextStorageKey, fileKey, { ...fields, keyEpoch: 2, sequence: 2n });
    const both = new Uint8Array(before);
    both.set(block, 4096);
    const after = new Uint8Array(8192);
    after.set(block, 4096);
    for (const [from, to] of [
      [before, both],
      [both, after],
    ] as const) {
      // prettier-ignore
      for (let at = 0; at <= 8192; at += 64) {
        const torn = new Uint8Array(from);
        torn.set(to.subarray(0, at));
        expect(decode(torn).fileKey.exportBytes()).toEqual(fileKey.exportBytes());
      }
    }
    expect(decode(both)).toMatchObject({
      place: 1,
      isOtherPlaceFree: false,
      header: { keyEpoch: 2, sequence: 2n },
    });
    expect(decode(after)).toMatchObject({
      place: 1,
      isOtherPlaceFree: true,
      header: { keyEpoch: 2, sequence: 2n },
    });
  });

  it('names an unknown version, an unknown suite and an unknown key epoch', () => {
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    const changed = (at: number, value: number): Uint8Array => {
      const copy = new Uint8Array(header);
      copy[at] = value;
      return copy;
    };
    expect(() => decode(changed(8, 7))).toThrow('format version 7');
    expect(() => decode(changed(9, 9))).toThrow('suite 9');
    expect(() => decode(changed(31, 5))).toThrow('key epoch 5');
  });

  it('is not made of fields out of their bounds', () => {
    const wrong = [
      { fileId: new Uint8Array(15) },
      { keyEpoch: -1 },
      { keyEpoch: 2 ** 32 },
      { keyEpoch: 0.5 },
      { sequence: -1n },
      { sequence: 2n ** 64n },
      { segmentSizeLog2: 11 },
      { segmentSizeLog2: 25 },
    ];
    for (const change of wrong) {
      const encode = () => crypto.encodeHeader(storageKey, fileKey, { ...fields, ...change });
      expect(codeOf(encode)).toBe('INVALID_ARGUMENT');
    }
  });

  it('is read from 8192 bytes, for an id of 16', () => {
    expect(codeOf(() => decode(new Uint8Array(8191)))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => decode(new Uint8Array(8193)))).toBe('INVALID_ARGUMENT');
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    const short = { storageKeyOf, fileId: fileId.subarray(1) };
    expect(codeOf(() => crypto.decodeHeader(header, short))).toBe('INVALID_ARGUMENT');
  });

  it('lets an error of the key lookup through', () => {
    const header = crypto.encodeHeader(storageKey, fileKey, fields);
    const failing = (): never => {
      throw new RangeError('no keys today');
    };
    expect(() => crypto.decodeHeader(header, { storageKeyOf: failing, fileId })).toThrow(RangeError);
  });
});
