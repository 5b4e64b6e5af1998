import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME, MAX_PAYLOAD_SIZE_BYTES, costOf, encodeHeader } from '../src/wire/frame.ts';
import type { FrameType } from '../src/wire/frame.ts';
import { FrameReader } from '../src/wire/frame-reader.ts';
import { ProtocolError } from '../src/wire/protocol-error.ts';

interface Sent {
  readonly type: FrameType;
  readonly request: number;
  readonly payload: Buffer;
}

function encode({ type, request, payload }: Sent): Buffer {
  return Buffer.concat([encodeHeader(type, request, payload.length), payload]);
}

/** What a reader makes of pieces, with the pieces of content put together again. */
function read(pieces: readonly Buffer[]): { frames: Sent[]; cost: number } {
  const reader = new FrameReader();
  const frames: Sent[] = [];
  let cost = 0;
  for (const piece of pieces) {
    for (const frame of reader.read(Buffer.from(piece))) {
      cost += frame.cost;
      frames.push({ type: frame.type, request: frame.request, payload: Buffer.from(frame.payload) });
    }
  }
  return { frames, cost };
}

const FRAMES = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(FRAME).filter((type) => type !== FRAME.bytes)),
    request: fc.nat(0xffff_ffff),
    payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 8 },
);

test('frames are the same in whatever pieces they come', () => {
  fc.assert(
    fc.property(FRAMES, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (frames, sizes) => {
      const whole = Buffer.concat(frames.map(encode));
      const pieces: Buffer[] = [];
      for (let start = 0; start < whole.length;) {
        const { value } = sizes.next() as { value: number };
        pieces.push(whole.subarray(start, start + value));
        start += value;
      }
      expect(read(pieces).frames).toEqual(frames);
      expect(read([...whole].map((byte) => Buffer.from([byte]))).frames).toEqual(frames);
    }),
  );
});

test('content is passed on as it comes, and costs the same in any number of pieces', () => {
  const payload = Buffer.from('content of a file');
  const whole = encode({ type: FRAME.bytes, request: 7, payload });
  for (const size of [1, 5, 9, 100]) {
    const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
      whole.subarray(index * size, (index + 1) * size),
    );
    const { frames, cost } = read(pieces);
    expect(Buffer.concat(frames.map((frame) => frame.payload)).toString()).toBe(payload.toString());
    expect(cost).toBe(costOf(payload.length));
  }
  // An empty one is not for nothing.
  expect(read([encodeHeader(FRAME.bytes, 7, 0)]).cost).toBe(costOf(0));
});

test('a payload that is too long, and an unknown type, are refused at the header', () => {
  expect(() => read([encodeHeader(FRAME.call, 1, MAX_PAYLOAD_SIZE_BYTES + 1)])).toThrow(ProtocolError);
  const unknown = encodeHeader(FRAME.call, 1, 0);
  unknown.writeUInt8(99, 4);
  expect(() => read([unknown])).toThrow(ProtocolError);
});

test('what was copied out of a piece is zeroed there', () => {
  const piece = encode({ type: FRAME.call, request: 1, payload: Buffer.from('a secret') });
  const [frame] = new FrameReader().read(piece);
  expect(frame?.payload.toString()).toBe('a secret');
  expect(piece.includes('secret')).toBe(false);
});
