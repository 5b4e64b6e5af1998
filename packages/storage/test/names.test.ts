import { describe, expect, test } from 'vitest';
import { MAX_FOLDER_SIZE_BYTES, MAX_NAME_SIZE_BYTES, parseFileName, parseFolder } from '../src/index.ts';

describe('limits come first', () => {
  test('a folder of a million parts is refused at once', () => {
    expect(() => parseFolder('a/'.repeat(1_000_000))).toThrow('longer than');
  });

  test('so is a name of a million characters', () => {
    expect(() => parseFileName('e\u0301'.repeat(1_000_000))).toThrow('longer than');
  });

  test('what is within the limit only when it is normalized is taken', () => {
    const decomposed = 'e\u0301'.repeat(MAX_NAME_SIZE_BYTES / 2);
    expect(parseFileName(decomposed)).toBe('\u00e9'.repeat(MAX_NAME_SIZE_BYTES / 2));
    expect(parseFolder('a'.repeat(MAX_FOLDER_SIZE_BYTES))).toHaveLength(MAX_FOLDER_SIZE_BYTES);
    expect(() => parseFolder('a'.repeat(MAX_FOLDER_SIZE_BYTES + 1))).toThrow('longer than');
  });
});
