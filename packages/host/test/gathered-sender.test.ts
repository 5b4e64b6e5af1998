import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatheredSender } from '../src/wire/gathered-sender.ts';

const FULL_SIZE_BYTES = 262_144;

/** As both sides do it. */
async function sendAll(
  source: AsyncIterable<Uint8Array>,
  send: (piece: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  await using content = new GatheredSender(send);
  for await (const piece of source) if (!(await content.add(piece))) return false;
  return await content.finish();
}

/** One buffer, filled again for each piece. */
async function* refilled(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.max(0, ...sizes));
  let next = 0;
  for (const size of sizes) {
    for (let at = 0; at < size; at += 1) buffer[at] = next++ % 251;
    yield await Promise.resolve(buffer.subarray(0, size));
    buffer.fill(255);
  }
}

test('what is sent is what came, in full pieces but the last, each unchanged until it is sent', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(70_000), fc.constant(FULL_SIZE_BYTES)), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (pieces) => {
      const sent: Uint8Array[] = [];
      const isWhole = await sendAll(refilled(pieces), async (piece) => {
        const before = Buffer.from(piece);
        await setImmediate();
        // Somebody fills the other buffer meanwhile.
        expect(before.equals(piece)).toBe(true);
        sent.push(before);
        return true;
      });
      expect(isWhole).toBe(true);
      const total = pieces.reduce((sum, size) => sum + size, 0);
      const all = Buffer.concat(sent);
      expect(all.length).toBe(total);
      expect(all.every((byte, at) => byte === at % 251)).toBe(true);
      expect(sent.slice(0, -1).every(({ length }) => length === FULL_SIZE_BYTES)).toBe(true);
      expect(sent.every(({ length }) => length > 0 && length <= FULL_SIZE_BYTES)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('nothing more is read from the source once nothing more is wanted', async () => {
  let count = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      count += 1;
      yield await Promise.resolve(new Uint8Array(FULL_SIZE_BYTES));
    }
  }
  let calls = 0;
  expect(await sendAll(endless(), () => Promise.resolve(++calls < 3))).toBe(false);
  expect([calls, count]).toEqual([3, 4]);
});

test('what a source throws is thrown after what it had brought was sent', async () => {
  const sent: number[] = [];
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(FULL_SIZE_BYTES));
    throw new Error('EIO');
  }
  const sending = sendAll(broken(), async ({ length }) => {
    await setImmediate();
    sent.push(length);
    return true;
  });
  await expect(sending).rejects.toThrow('EIO');
  expect(sent).toEqual([FULL_SIZE_BYTES]);
});
