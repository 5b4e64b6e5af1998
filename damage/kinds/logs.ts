import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Marks } from '../tally.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { takeUnclean } from '../vault/unclean.ts';
import { closedKind, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import { marksOfLimit } from './marks-of-limit.ts';

const LOG = 'data.db-wal';
const LOG_HEADER_SIZE_BYTES = 32;
const FRAME_HEADER_SIZE_BYTES = 24;
const FRAME_SIZE_BYTES = FRAME_HEADER_SIZE_BYTES + 4096;

/** Of the bytes of a page in the log, one in so many. */
const STEP = 31;

/** The log that a killed owner has left. */
export const logs: readonly Kind[] = [
  closedKind('the log of a crash: a byte before its last transaction', damagedLogs),
  closedKind('a log beside another state of its database', foreignLogs),
];

/** What looks as a power cut would leave it, or an owner that moved the log and was killed: without a counter outside of the vault nobody can tell. */
export const limitsOfLogs: readonly Kind[] = [
  closedKind('the log of a crash: its last transaction, cut off, removed', shortenedLogs, { isSlow: true }),
];

type Left = Awaited<ReturnType<typeof takeUnclean>>;

async function leave(sample: SampleVault): Promise<{ readonly taken: Left; readonly log: Buffer }> {
  const taken = await takeUnclean(sample);
  sample.snapshot.restore();
  return { taken, log: taken.get(LOG) ?? Buffer.alloc(0) };
}

function withLog(
  sample: SampleVault,
  taken: Left,
  name: string,
  bytes: Uint8Array | undefined,
  judge: (met: Encounter) => Marks,
): ClosedCase {
  return {
    name,
    touches: ['data.db', LOG],
    damage: () => {
      for (const [file, content] of taken) writeFileSync(join(sample.paths.directory, file), content);
      const path = join(sample.paths.directory, LOG);
      if (bytes === undefined) rmSync(path);
      else writeFileSync(path, bytes);
    },
    judge,
  };
}

async function* damagedLogs(sample: SampleVault, extent: Extent): AsyncGenerator<ClosedCase> {
  const { taken, log } = await leave(sample);
  for (let offset = 0; offset < lastTransactionOf(log); offset += 1) {
    const inFrame = (offset - LOG_HEADER_SIZE_BYTES) % FRAME_SIZE_BYTES;
    const isOfHeader = offset < LOG_HEADER_SIZE_BYTES || inFrame < FRAME_HEADER_SIZE_BYTES;
    if (!isOfHeader && inFrame % STEP !== 0) continue;
    if (!isTried(extent)) continue;
    yield withLog(sample, taken, `byte ${String(offset)}`, flip(log, offset), (met) => isRefused(met, LOG));
  }
}

async function* foreignLogs(sample: SampleVault): AsyncGenerator<ClosedCase> {
  const database = sample.snapshot.bytes('data.db');
  const early = await takeUnclean(sample);
  {
    await using vault = await sample.open();
    vault.tag('letter.txt', { add: ['later'] });
    vault.move('letter.txt', 'moved.txt');
  }
  const closedLater = readFileSync(sample.paths.database);
  const late = await takeUnclean(sample);
  sample.snapshot.restore();
  const beside = (name: string, file: Buffer, log: Left): ClosedCase =>
    withLog(sample, new Map([['data.db', file]]), name, log.get(LOG), (met) => isRefused(met, LOG));
  yield beside('an older database', database, late);
  yield beside('a newer database', closedLater, early);
}

async function* shortenedLogs(sample: SampleVault, extent: Extent): AsyncGenerator<ClosedCase> {
  const { taken, log } = await leave(sample);
  const each = (name: string, bytes: Uint8Array | undefined): ClosedCase =>
    withLog(sample, taken, name, bytes, marksOfLimit);
  yield each('removed', undefined);
  yield each('empty', Buffer.alloc(0));
  const own = { ...extent, oneIn: Math.ceil(extent.oneIn / 40) };
  for (let offset = 0; offset < log.length; offset += 997) {
    if (!isTried(own)) continue;
    yield each(`cut off at ${String(offset)}`, log.subarray(0, offset));
  }
  for (let offset = lastTransactionOf(log); offset < log.length; offset += 97) {
    if (isTried(own)) yield each(`byte ${String(offset)}`, flip(log, offset));
  }
}

/** Where it begins. A frame that ends a transaction says how many pages there are then. */
function lastTransactionOf(log: Buffer): number {
  let [before, last] = [LOG_HEADER_SIZE_BYTES, LOG_HEADER_SIZE_BYTES];
  for (let frame = LOG_HEADER_SIZE_BYTES; frame < log.length; frame += FRAME_SIZE_BYTES) {
    if (log.readUInt32BE(frame + 4) !== 0) [before, last] = [last, frame + FRAME_SIZE_BYTES];
  }
  return before;
}

function flip(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(offset) ^ 1, offset);
  return copy;
}
