import { expect, test } from 'vitest';
import {
  decodeScanRequest,
  encodeScanMessage,
  encodeScanRequest,
  parseScanMessage,
} from '../src/page-scan-message.ts';
import { expectError } from './support/expect-error.ts';
import { KEY } from './support/sample-database.ts';

test('a request is understood once all of it is there', () => {
  const request = encodeScanRequest({ key: KEY, path: '/ä/data.db' });
  for (let length = 0; length < request.length; length += 1) {
    expect(decodeScanRequest(request.subarray(0, length))).toBeUndefined();
  }
  const decoded = decodeScanRequest(request);
  expect(decoded?.path).toBe('/ä/data.db');
  expect(new Uint8Array(decoded?.key ?? [])).toEqual(KEY);
});

test.each([['anything'], [[Buffer.from('12345678'), Buffer.from('abcdefghi')]]] as const)(
  'what to look for arrives as it was sent: %s',
  (residue) => {
    const request = encodeScanRequest({ key: KEY, path: 'x', residue });
    for (let length = 0; length < request.length; length += 1) {
      expect(decodeScanRequest(request.subarray(0, length))).toBeUndefined();
    }
    expect(decodeScanRequest(request)?.residue).toEqual(residue);
  },
);

test('a request with a path without end is refused', () => {
  const request = encodeScanRequest({ key: KEY, path: 'x' });
  request.writeUInt32LE(2 ** 31, 32);
  expectError('INVALID', () => decodeScanRequest(request));
});

test('answers are read back', () => {
  const messages = [
    { type: 'progress', pagesDone: 1, pageCount: 2 },
    { type: 'result', pageCount: 2, damagedPages: [1, 2] },
    { type: 'result', pageCount: 2, damagedPages: [], residuePages: [2] },
    { type: 'error', code: 'NOT_FOUND', message: 'no' },
  ] as const;
  for (const message of messages) expect(parseScanMessage(encodeScanMessage(message))).toEqual(message);
  expect(parseScanMessage('{"type":"error","code":"MINE","message":"x"}')).toMatchObject({ code: 'FAILED' });
});

test('anything else is refused', () => {
  const wrong = ['', '{', 'null', '{}', '[1]', '{"type":"result","pageCount":-1,"damagedPages":[]}'];
  wrong.push('{"type":"result","pageCount":1,"damagedPages":["1"]}', '{"type":"progress","pageCount":1}');
  wrong.push('{"type":"result","pageCount":1,"damagedPages":[],"residuePages":"2"}');
  for (const line of wrong) expectError('FAILED', () => parseScanMessage(line));
});
