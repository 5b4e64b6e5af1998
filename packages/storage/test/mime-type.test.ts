import { describe, expect, test } from 'vitest';
import { detectMimeType } from '../src/index.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
const ZIP = Buffer.from('504b03040a00000000000000000000000000000000000000000000000000', 'hex');

describe('the MIME type', () => {
  test.each([
    ['of content comes before that of the name', PNG, 'photo.txt', 'image/png'],
    ['of the name is used when the content has none', Buffer.from('hello'), 'notes.txt', 'text/plain'],
    [
      'of the name says which kind of container it is',
      ZIP,
      'letter.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['of a container without a telling name is the container’s', ZIP, 'archive', 'application/zip'],
    ['of TypeScript is not that of a video', Buffer.from('export {};'), 'index.ts', 'text/plain'],
    ['of an empty file is that of its name', Buffer.alloc(0), 'a.json', 'application/json'],
    [
      'of what nobody knows is application/octet-stream',
      Buffer.from([1, 2, 3]),
      'x',
      'application/octet-stream',
    ],
    ['of a cut-off header does not fail', PNG.subarray(0, 9), 'x', 'application/octet-stream'],
  ])('%s', async (_what, head, name, expected) => {
    expect(await detectMimeType(head, name)).toBe(expected);
  });
});
