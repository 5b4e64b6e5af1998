import * as v from 'valibot';
import { integerSchema, parseWith } from './schema.ts';

/** How far an operation is. Every property is there; what is not known is `undefined`. */
export interface TransferProgress {
  readonly bytesDone: number;
  /** Never less than `bytesDone`. */
  readonly bytesTotal: number | undefined;
  /** 0 to 1; 1 of nothing. */
  readonly fraction: number | undefined;
  /** Moving average. 0 in a stall. */
  readonly bytesPerSecond: number | undefined;
  /** At this speed; not known in a stall. */
  readonly secondsLeft: number | undefined;
}

/** What is done of a total; 1 of nothing. */
export function fractionOf(bytesDone: number, bytesTotal: number): number {
  return bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
}

const BYTES_SCHEMA = integerSchema(Number.MAX_SAFE_INTEGER);
const QUANTITY_SCHEMA = v.pipe(
  v.number('must be a number'),
  v.finite('must be finite'),
  v.minValue(0, 'must not be negative'),
);

const SCHEMA = v.pipe(
  v.object(
    {
      bytesDone: BYTES_SCHEMA,
      bytesTotal: v.optional(BYTES_SCHEMA),
      bytesPerSecond: v.optional(QUANTITY_SCHEMA),
      secondsLeft: v.optional(QUANTITY_SCHEMA),
    },
    'must be an object with bytesDone',
  ),
  v.check(
    ({ bytesDone, bytesTotal }) => bytesTotal === undefined || bytesDone <= bytesTotal,
    'must not have more bytes done than there are',
  ),
);

/** A property that is absent is `undefined`. The fraction is not read but follows from the bytes. Throws `INVALID`, `TOO_LARGE`. */
export function parseTransferProgress(value: unknown): TransferProgress {
  const { bytesDone, bytesTotal, bytesPerSecond, secondsLeft } = parseWith(SCHEMA, 'a progress', value);
  const fraction = bytesTotal === undefined ? undefined : fractionOf(bytesDone, bytesTotal);
  return { bytesDone, bytesTotal, fraction, bytesPerSecond, secondsLeft };
}
