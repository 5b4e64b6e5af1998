import type { SqlValue } from '../driver.ts';
import { readVarint } from './page-cells.ts';

/** Sizes of the integers of serial types 1 to 6: https://sqlite.org/fileformat.html#record_format */
const INTEGER_SIZES_BYTES: readonly number[] = [0, 1, 2, 3, 4, 6, 8];

/** The columns of a row; `undefined` when it is none that we write. The bytes are those of `payload`. */
export function decodeRecord(payload: Buffer): SqlValue[] | undefined {
  const header = readVarint(payload, 0);
  if (header.value < header.end || header.value > payload.length) return undefined;
  const values: SqlValue[] = [];
  let body = header.value;
  for (let at = header.end; at < header.value;) {
    const type = readVarint(payload, at);
    at = type.end;
    const decoded = decodeValue(payload, body, type.value);
    if (decoded === undefined) return undefined;
    values.push(decoded.value);
    body += decoded.sizeBytes;
  }
  return body === payload.length ? values : undefined;
}

interface Decoded {
  readonly value: SqlValue;
  readonly sizeBytes: number;
}

function decodeValue(payload: Buffer, offset: number, type: number): Decoded | undefined {
  if (type === 0) return { value: null, sizeBytes: 0 };
  if (type === 8 || type === 9) return { value: type - 8, sizeBytes: 0 };
  const integerSize = INTEGER_SIZES_BYTES[type];
  const sizeBytes = integerSize ?? (type >= 12 ? Math.floor((type - 12) / 2) : undefined);
  if (sizeBytes === undefined || offset + sizeBytes > payload.length) return undefined;
  if (integerSize !== undefined) {
    const value = readInteger(payload, offset, sizeBytes);
    return value === undefined ? undefined : { value, sizeBytes };
  }
  const bytes = payload.subarray(offset, offset + sizeBytes);
  return { value: type % 2 === 0 ? bytes : bytes.toString('utf8'), sizeBytes };
}

function readInteger(payload: Buffer, offset: number, sizeBytes: number): number | undefined {
  if (sizeBytes <= 6) return payload.readIntBE(offset, sizeBytes);
  const value = Number(payload.readBigInt64BE(offset));
  return Number.isSafeInteger(value) ? value : undefined;
}
