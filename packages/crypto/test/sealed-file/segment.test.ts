import { describe, expect, it } from 'vitest';
import { backends } from '../backends.ts';
import { bytes, codeOf, flips, utf8 } from '../support.ts';

describe.each(backends)('segments over %s', (_, crypto) => {
  const key = crypto.FileKey.fromBytes(bytes('42'.repeat(32)));
  const plaintext = utf8('some plaintext');
  const place = { index: 3, final: true };
  const token = crypto.sealSegment(key, { ...place, plaintext });
  const full = new Uint8Array(4096).fill(7);

  it('is a Fernet token that every Fernet opens with the key of the segment', () => {
    const info = [...utf8('coffer/segment/v1'), 0, 0, 0, 0, 0, 0, 0, 3, 1];
    const segmentKey = crypto.hkdfExpand(key.exportBytes(), Uint8Array.from(info), 32);
    expect(crypto.openFernet(crypto.FernetKey.fromBytes(segmentKey), token)).toEqual(plaintext);
    expect(token.subarray(1, 9)).toEqual(new Uint8Array(8));
  });

  it('opens in its place only', () => {
    expect(crypto.openSegment(key, { ...place, token })).toEqual(plaintext);
    for (const other of [{ index: 2 }, { index: 4 }, { index: 2 ** 32 - 1 }, { final: false }]) {
      expect(codeOf(() => crypto.openSegment(key, { ...place, ...other, token }))).toBe('INVALID_TOKEN');
    }
    expect(codeOf(() => crypto.openSegment(crypto.FileKey.generate(), { ...place, token }))).toBe(
      'INVALID_TOKEN',
    );
  });

  it('fails with every flipped bit and every cut', () => {
    for (const changed of flips(token)) {
      expect(codeOf(() => crypto.openSegment(key, { ...place, token: changed }))).toBe('INVALID_TOKEN');
    }
    for (let length = 0; length < token.length; length++) {
      const cut = token.subarray(0, length);
      expect(codeOf(() => crypto.openSegment(key, { ...place, token: cut }))).toBe('INVALID_TOKEN');
    }
  });

  it('has a new IV every time it is sealed', () => {
    const again = crypto.sealSegment(key, { ...place, plaintext });
    expect(again.subarray(9, 25)).not.toEqual(token.subarray(9, 25));
  });

  it('is sealed into shared memory as it is sealed anew, and leaves the rest alone', () => {
    const iv = bytes('11'.repeat(16));
    const target = new Uint8Array(new SharedArrayBuffer(token.length + 8)).fill(0xee);
    const source = new Uint8Array(new SharedArrayBuffer(plaintext.length));
    source.set(plaintext);
    const size = crypto.sealSegmentInto(key, { ...place, plaintext: source, iv }, target);
    expect(size).toBe(token.length);
    expect(Uint8Array.from(target.subarray(0, size))).toEqual(
      crypto.sealSegment(key, { ...place, plaintext, iv }),
    );
    expect(target.subarray(size).every((byte) => byte === 0xee)).toBe(true);
    expect(crypto.openSegment(key, { ...place, token: target.subarray(0, size) })).toEqual(plaintext);
  });

  it('is opened into shared memory as it is opened anew, and leaves the rest alone', () => {
    const target = new Uint8Array(new SharedArrayBuffer(plaintext.length + 8)).fill(0xee);
    expect(crypto.openSegmentInto(key, { ...place, token }, target)).toBe(plaintext.length);
    expect(Uint8Array.from(target.subarray(0, plaintext.length))).toEqual(plaintext);
    expect(target.subarray(plaintext.length).every((byte) => byte === 0xee)).toBe(true);
  });

  it('is opened and sealed as well when it is large enough for memory of its own', () => {
    const large = crypto.randomBytes(2 ** 18);
    const sealed = crypto.sealSegment(key, { index: 0, final: false, plaintext: large });
    expect(crypto.openSegment(key, { index: 0, final: false, token: sealed })).toEqual(large);
    const target = new Uint8Array(2 ** 18);
    crypto.openSegmentInto(key, { index: 0, final: false, token: sealed }, target);
    expect(target).toEqual(large);
    expect(sealed).toHaveLength(2 ** 18 + 73);
  });

  it('leaves its target alone when it is not authentic, and one that is too small', () => {
    const target = new Uint8Array(plaintext.length).fill(0xee);
    for (const changed of flips(token)) {
      const opening = () => crypto.openSegmentInto(key, { ...place, token: changed }, target);
      expect(codeOf(opening)).toBe('INVALID_TOKEN');
    }
    const small = target.subarray(1);
    expect(codeOf(() => crypto.openSegmentInto(key, { ...place, token }, small))).toBe('INVALID_ARGUMENT');
    expect(target.every((byte) => byte === 0xee)).toBe(true);
  });

  it('is full unless it is the final one, which is empty only in an empty file', () => {
    const sealing = (index: number, final: boolean, data: Uint8Array) => () =>
      crypto.sealSegment(key, { index, final, plaintext: data });
    expect(sealing(0, true, new Uint8Array(0))()).toHaveLength(73);
    expect(sealing(0, false, full)()).toHaveLength(4096 + 73);
    const wrong = [
      sealing(1, true, new Uint8Array(0)),
      sealing(0, false, new Uint8Array(0)),
      sealing(0, false, full.subarray(1)),
      sealing(0, false, new Uint8Array(2048)),
      sealing(0, true, new Uint8Array(2 ** 24 + 1)),
      sealing(-1, true, plaintext),
      sealing(1.5, true, plaintext),
      sealing(2 ** 32, true, plaintext),
    ];
    for (const use of wrong) expect(codeOf(use)).toBe('INVALID_ARGUMENT');
  });

  it('does not go into a target that is too small, nor under an IV of another length', () => {
    const small = new Uint8Array(token.length - 1);
    expect(codeOf(() => crypto.sealSegmentInto(key, { ...place, plaintext }, small))).toBe(
      'INVALID_ARGUMENT',
    );
    const iv = new Uint8Array(12);
    expect(codeOf(() => crypto.sealSegment(key, { ...place, plaintext, iv }))).toBe('INVALID_ARGUMENT');
  });

  it('is refused with an impossible index, and when it is longer than any', () => {
    expect(codeOf(() => crypto.openSegment(key, { index: 2 ** 32, final: true, token }))).toBe(
      'INVALID_ARGUMENT',
    );
    const huge = new Uint8Array(2 ** 24 + 73 + 16);
    expect(codeOf(() => crypto.openSegment(key, { ...place, token: huge }))).toBe('INVALID_TOKEN');
  });
});
