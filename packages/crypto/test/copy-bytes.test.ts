import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backends } from './backends.ts';

describe.each(backends)('copying bytes over %s', (_, { copyBytes }) => {
  it('fills the beginning of the target and nothing else, in shared memory too', () => {
    const anyMemory = fc.constantFrom(ArrayBuffer, SharedArrayBuffer);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(40),
        fc.nat(40),
        anyMemory,
        (source, before, after, Memory) => {
          const all = new Uint8Array(new Memory(before + source.length + after)).fill(7);
          copyBytes(source, all.subarray(before));
          expect(Buffer.from(all)).toEqual(
            Buffer.concat([Buffer.alloc(before, 7), source, Buffer.alloc(after, 7)]),
          );
        },
      ),
    );
  });

  it('refuses a target that is too short, and leaves it as it was', () => {
    const target = new Uint8Array(3);
    expect(() => {
      copyBytes(Uint8Array.of(1, 2, 3, 4), target);
    }).toThrow(RangeError);
    expect([...target]).toEqual([0, 0, 0]);
  });
});
