import { SEALED_FILE } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { parseFileId } from '@coffer/database';
import { damaged } from '../errors.ts';
import type { StorageError } from '../errors.ts';

const PLACE_SIZE_BYTES = SEALED_FILE.HEADER_SIZE_BYTES / 2;
const LINE = /^([0-9a-f]{32}) (-|[0-9a-f]{2,8192}) (-|[0-9a-f]{2,8192})$/;

/** Without its end: an id and two places, all of their bytes in use. */
export const MAX_HEADER_LINE_SIZE_BYTES: number = 32 + 2 * (1 + 2 * PLACE_SIZE_BYTES);

export interface HeaderRecord {
  readonly id: FileId;
  readonly header: Uint8Array;
}

/** A header region as a line of text: `id place place`, each place in hexadecimal without its final zeros, `-` when it is free. */
export function headerLine(id: FileId, header: Uint8Array): string {
  const places = [header.subarray(0, PLACE_SIZE_BYTES), header.subarray(PLACE_SIZE_BYTES)];
  return `${[id, ...places.map(placeToText)].join(' ')}\n`;
}

/** Throws `DAMAGED` for what `headerLine` does not write. */
export function parseHeaderLine(line: string): HeaderRecord {
  const match = LINE.exec(line);
  if (match === null) throw damagedLine();
  const [, id = '', ...places] = match;
  const header = Buffer.alloc(SEALED_FILE.HEADER_SIZE_BYTES);
  for (const [index, text] of places.entries()) {
    if (text !== '-') Buffer.from(text, 'hex').copy(header, index * PLACE_SIZE_BYTES);
  }
  const record = { id: parseFileId(id), header: new Uint8Array(header) };
  // Half a byte, and zeros at the end, would be read as something that has another form too.
  if (headerLine(record.id, record.header) !== `${line}\n`) throw damagedLine();
  return record;
}

function damagedLine(): StorageError {
  return damaged('HEADER_DAMAGED', 'a header that a backup was to write is damaged');
}

function placeToText(place: Uint8Array): string {
  const end = place.findLastIndex((byte) => byte !== 0) + 1;
  return end === 0 ? '-' : Buffer.from(place.subarray(0, end)).toString('hex');
}
