import { parseFileId } from '../../packages/database/src/index.ts';
import { headerLine, parseHeaderLine } from '../../packages/storage/src/backup/header-records.ts';
import { linesOf } from '../../packages/storage/src/backup/lines.ts';
import { parseRemovedLine } from '../../packages/storage/src/backup/staged-lines.ts';
import { newMarker, parseBackupMarker } from '../../packages/vault/src/backup/marker.ts';
import { checkRefusal, isSame, must, refusable } from './target.ts';
import type { Target } from './target.ts';

const ID = '0123456789abcdef0123456789abcdef';
const OTHER_ID = 'f'.repeat(32);
const MAX_LINE_SIZE_BYTES = 20_000;

/** `backup.json`. */
export const backupMarker: Target = {
  name: 'backup-marker',
  covers: ['vault/src/backup/marker.ts'],
  seeds: () =>
    [newMarker(ID, OTHER_ID), newMarker(ID, OTHER_ID, { backupId: ID, madeAtMs: 1_764_000_000_000 })].map(
      (marker) => toBytes(`${JSON.stringify(marker, null, 2)}\n`),
    ),
  maxSizeBytes: 4_200,
  dictionary: [
    ...['"format"', '"coffer-backup"', '"formatVersion": 2', '"vaultId"', '"destinationId"', '"backup"'],
    ...['"backupId"', '"madeAtMs"', '"__proto__"', 'null', '{}', '[]', '-0', '1e999', '9007199254740993'],
  ],
  run(input) {
    const marker = refusable(['DAMAGED', 'TOO_NEW'], () => parseBackupMarker(input, 'backup.json'));
    if (marker === undefined) return;
    for (const id of [marker.vaultId, marker.destinationId, marker.backup?.backupId ?? ID])
      must(/^[0-9a-f]{32}$/.test(id), 'an id has 32 digits');
    const { madeAtMs = 0 } = marker.backup ?? {};
    must(Number.isSafeInteger(madeAtMs) && madeAtMs >= 0, 'a time is a number of milliseconds');
  },
};

/** `headers` and `removed` of a backup that is to be finished, in pieces of the size that the first byte says. */
export const backupLines: Target = {
  name: 'backup-lines',
  covers: [
    'storage/src/backup/lines.ts',
    'storage/src/backup/header-records.ts',
    'storage/src/backup/staged-lines.ts',
  ],
  seeds: () => {
    const short = new Uint8Array(8192);
    short.set([0x43, 0x4f, 0x46, 0, 1]);
    const both = new Uint8Array(8192);
    both[4095] = 1;
    both.set([1, 2, 3], 4096);
    return [
      `${ID}\n${OTHER_ID}\n`,
      headerLine(parseFileId(ID), short),
      headerLine(parseFileId(ID), short) + headerLine(parseFileId(OTHER_ID), new Uint8Array(8192)),
      headerLine(parseFileId(OTHER_ID), both),
      `${ID} ${'0'.repeat(8191)}1 -\n`,
    ].map((text) => toBytes(`\u0007${text}`));
  },
  maxSizeBytes: 24_000,
  dictionary: ['\n', ' - -\n', ' ', '-', '00', '\r\n', ID, '0'],
  async run(input) {
    const pieceSize = (input[0] ?? 0) + 1;
    const bytes = input.subarray(1);
    const [all, inPieces] = [await read(bytes, bytes.length + 1), await read(bytes, pieceSize)];
    must(all?.join('\n') === inPieces?.join('\n'), 'pieces make no difference');
    for (const line of all ?? []) {
      const record = refusable(['DAMAGED'], () => parseHeaderLine(line));
      must(
        record === undefined || headerLine(record.id, record.header) === `${line}\n`,
        'a header has one line only',
      );
      must(record === undefined || record.header.length === 8192, 'a header region has its size');
      const id = refusable(['DAMAGED'], () => parseRemovedLine(line));
      must(id === undefined || id === line, 'an id is its line');
    }
    if (all !== undefined)
      must(isSame(toBytes(all.map((line) => `${line}\n`).join('')), bytes), 'no byte is passed over');
  },
};

/** `undefined` when the lines are refused. */
async function read(bytes: Uint8Array, pieceSize: number): Promise<string[] | undefined> {
  const lines: string[] = [];
  try {
    for await (const line of linesOf(piecesOf(bytes, pieceSize), MAX_LINE_SIZE_BYTES)) {
      must(line.length <= MAX_LINE_SIZE_BYTES, 'a line is within its bound');
      lines.push(line);
    }
  } catch (error) {
    checkRefusal(['DAMAGED'], error);
    return undefined;
  }
  return lines;
}

async function* piecesOf(bytes: Uint8Array, pieceSize: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceSize)
    yield await Promise.resolve(bytes.subarray(at, at + pieceSize));
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
