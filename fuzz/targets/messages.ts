import { decodeCursor, encodeCursor } from '../../packages/database/src/file-cursor.ts';
import { parseFileId } from '../../packages/database/src/index.ts';
import {
  decodeScanRequest,
  encodeScanRequest,
  parseScanMessage,
} from '../../packages/database/src/page-scan-message.ts';
import {
  parseFileChunk,
  parseFileTransferMetadata,
  parseTransferProgress,
  parseTransferState,
} from '../../packages/transfer-models/src/index.ts';
import { must, refusable } from './target.ts';
import type { Target } from './target.ts';

/** What processes of ours say to each other, and cursors that go through other hands: JSON, and one in binary. */
export const messages: Target = {
  name: 'messages',
  covers: ['database/src/page-scan-message.ts', 'database/src/file-cursor.ts', 'transfer-models/src/'],
  seeds: () => [
    ...[
      '{"type":"progress","pagesDone":1,"pageCount":2}',
      '{"type":"result","pageCount":2,"damagedPages":[1,2]}',
      '{"type":"error","code":"IN_USE","message":"x"}',
      '{"bytesDone":1,"bytesTotal":2,"fraction":0.5,"bytesPerSecond":3,"secondsLeft":4}',
      `{"name":"a","folder":"","mimeType":"text/plain","sizeBytes":3,"sha256":"${'0'.repeat(64)}","chunkSizeBytes":262144}`,
      '"active"',
      sampleCursor(),
    ].map((text) => Uint8Array.from(Buffer.from(text))),
    Uint8Array.from(
      encodeScanRequest({ key: new Uint8Array(32), path: '/x', residue: [new Uint8Array(20)] }),
    ),
    Uint8Array.from(encodeScanRequest({ key: new Uint8Array(32), path: '/x', residue: 'anything' })),
  ],
  maxSizeBytes: 5_000,
  dictionary: [
    '"type"',
    '"result"',
    '"damagedPages"',
    '"residuePages"',
    '"code"',
    'null',
    '[[[[',
    '1e999',
    '"__proto__"',
  ],
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    refusable(['FAILED'], () => parseScanMessage(text));
    const request = refusable(['INVALID'], () => decodeScanRequest(Buffer.from(input)));
    must(request === undefined || request.key.length === 32, 'a key has 32 bytes');
    for (const sort of ['path', 'name', 'size', 'created', 'modified'] as const) {
      const key = refusable(['INVALID'], () => decodeCursor(text, sort, false));
      must(key === undefined || key.length <= 3, 'a cursor is a key of its order');
    }
    const value = parseJson(text);
    for (const parse of [
      parseFileTransferMetadata,
      parseTransferProgress,
      parseTransferState,
      parseFileChunk,
    ]) {
      refusable(['INVALID', 'TOO_LARGE'], () => parse(value));
    }
  },
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sampleCursor(): string {
  const row = {
    id: parseFileId('0'.repeat(32)),
    folder: 'a',
    name: 'b',
    mimeType: 'text/plain',
    sizeBytes: 3,
    sha256: new Uint8Array(32),
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1,
    modifiedAtMs: 1,
    transferId: undefined,
  } as const;
  return encodeCursor(row, 'path', false);
}
