import { expect, test } from 'vitest';
import {
  decodeCopyRequest,
  encodeCopyAnswer,
  encodeCopyRequest,
  parseCopyAnswer,
} from '../src/copy-message.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, OTHER_KEY } from './support/sample-database.ts';

const PATHS = {
  path: '/ä/data.db',
  rawPath: '/ä/data.db.rekey.1.raw',
  temporaryPath: '/ä/data.db.rekey.1.new',
};

test.each([
  ['under another key', OTHER_KEY],
  ['under the same key', undefined],
])('a request for a copy %s is understood once all of it is there', (_, expected) => {
  const request = encodeCopyRequest({ ...PATHS, key: KEY, newKey: expected });
  for (let length = 0; length < request.length; length += 1) {
    expect(decodeCopyRequest(request.subarray(0, length))).toBeUndefined();
  }
  const { key, newKey, ...paths } = decodeCopyRequest(request) ?? { key: undefined };
  expect(paths).toEqual(PATHS);
  expect([key, newKey].map((each) => each && Uint8Array.from(each))).toEqual([KEY, expected]);
});

test('a request for a check is one without a file to fill', () => {
  const { path, rawPath } = PATHS;
  const request = encodeCopyRequest({ path, rawPath, key: KEY });
  const { key, ...paths } = decodeCopyRequest(request) ?? { key: undefined };
  expect(paths).toEqual({ path, rawPath });
  expect(key && Uint8Array.from(key)).toEqual(KEY);
});

test('a request with paths without end is refused, and one with too few or too many', () => {
  const request = encodeCopyRequest({ ...PATHS, key: KEY });
  request.writeUInt32LE(2 ** 31, 65);
  expectError('INVALID', () => decodeCopyRequest(request));
  expectError('INVALID', () => decodeCopyRequest(encodeCopyRequest({ ...PATHS, path: 'a\0b', key: KEY })));
  const short = encodeCopyRequest({ ...PATHS, key: KEY });
  short.writeUInt32LE(Buffer.byteLength(PATHS.path), 65);
  expectError('INVALID', () => decodeCopyRequest(short));
});

test('answers are read back, and anything else is refused', () => {
  const failed = { type: 'error', code: 'CORRUPT', message: 'no' } as const;
  for (const answer of [{ type: 'done' } as const, failed]) {
    expect(parseCopyAnswer(encodeCopyAnswer(answer))).toEqual(answer);
  }
  expect(parseCopyAnswer('{"type":"error","code":"MINE","message":"x"}')).toMatchObject({ code: 'FAILED' });
  for (const line of ['', '{', 'null', '{}', '[1]', '{"type":"progress"}']) {
    expectError('FAILED', () => parseCopyAnswer(line));
  }
});
