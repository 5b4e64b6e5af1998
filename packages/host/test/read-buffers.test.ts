import { expect, test } from 'vitest';
import { ReadBuffers } from '../src/connect/read-buffers.ts';

test('memory is used again once everybody is done with it, and not before', () => {
  const buffers = new ReadBuffers();
  const first = buffers.next();
  const received = buffers.use(first);
  const lent = received.lend(first.subarray(0, 100_000));
  received.end();
  expect(buffers.next()).not.toBe(first);
  lent.giveBack?.();
  expect(buffers.next()).toBe(first);
});

test('a small piece is a copy, and keeps nothing', () => {
  const buffers = new ReadBuffers();
  const first = buffers.next();
  const received = buffers.use(first);
  const { piece, giveBack } = received.lend(first.subarray(0, 10).fill(1));
  received.end();
  expect(giveBack).toBeUndefined();
  expect(buffers.next()).toBe(first);
  first.fill(2);
  expect(piece[0]).toBe(1);
});
