import { SEALED_FILE, copyBytes, createSha256, segmentCount } from '@coffer/crypto';
import type { SourceFile } from './file-source.ts';
import { JobFailure } from './pool/segment-pool.ts';
import type { RunningJob } from './pool/segment-pool.ts';
import type { SealedWriter } from './sealed-writer.ts';
import { cutSegments } from './segments.ts';
import type { PlainSegment } from './segments.ts';
import type { StorageContext } from './storage-context.ts';

const SEGMENT_SIZE_BYTES = 2 ** SEALED_FILE.SEGMENT_SIZE_LOG2;

export interface Content {
  /** All of it, to be read once. Checks itself, and ends when cancelled. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** The same, if it is a file. */
  readonly file: SourceFile | undefined;
}

export interface SealedContent {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

interface SealContentOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytesDone: number) => void;
}

/**
 * Seals a content, segment by segment, and hashes it in the same pass. Large ones are sealed by the pool's threads while this one hashes;
 * a stream is handed to them once it has shown to be large.
 */
export async function sealContent(
  context: StorageContext,
  writer: SealedWriter,
  content: Content,
  options: SealContentOptions,
): Promise<SealedContent> {
  const { file } = content;
  if (file !== undefined && file.sizeBytes >= context.parallelFromBytes) {
    const sealed = await sealFileInPool(context, writer, file, options);
    if (sealed !== undefined) return sealed;
  }
  return sealPieces(context, writer, content.pieces, options);
}

/** `undefined` when the pool is busy. Each byte is read once, by the thread that seals it. */
async function sealFileInPool(
  { pool }: StorageContext,
  writer: SealedWriter,
  file: SourceFile,
  { signal, onProgress }: SealContentOptions,
): Promise<SealedContent | undefined> {
  const { fd, sizeBytes } = file;
  const count = segmentCount(sizeBytes);
  await using job = await writer.tryShare(pool, { fd, sizeBytes }, { first: 0, count }, signal);
  if (job === undefined) return undefined;
  const { ring } = job;
  const hash = createSha256();
  try {
    for (let index = 0; index < count; index++) {
      if (!(await job.untilReady(index))) await job.rethrow();
      hash.update(ring.plaintext(index));
      job.markConsumed(index);
      onProgress?.(Math.min((index + 1) * SEGMENT_SIZE_BYTES, sizeBytes));
    }
    await job.finish();
  } catch (error) {
    // Says it better, if that is why.
    if (error instanceof JobFailure && error.result.type === 'shrunk') await file.checkUnchanged();
    throw error;
  }
  await file.checkUnchanged();
  return { sizeBytes, sha256: hash.digest() };
}

async function sealPieces(
  { pool, parallelFromBytes }: StorageContext,
  writer: SealedWriter,
  pieces: AsyncIterable<Uint8Array>,
  { signal }: SealContentOptions,
): Promise<SealedContent> {
  const hash = createSha256();
  let sizeBytes = 0;
  let job: RunningJob | undefined;
  // Ends before the writer does: the threads use its descriptor.
  await using jobs = new AsyncDisposableStack();
  for await (const segment of cutSegments(pieces, SEGMENT_SIZE_BYTES)) {
    if (job === undefined && sizeBytes >= parallelFromBytes) {
      job = await writer.tryShare(pool, undefined, { first: segment.index, count: undefined }, signal);
      if (job !== undefined) jobs.use(job);
    }
    hash.update(segment.plaintext);
    sizeBytes += segment.plaintext.length;
    await (job === undefined ? writer.append(segment) : giveToPool(job, segment));
  }
  await job?.finish();
  return { sizeBytes, sha256: hash.digest() };
}

async function giveToPool(job: RunningJob, { index, final, plaintext }: PlainSegment): Promise<void> {
  const { ring } = job;
  if (!(await job.untilFree(index))) await job.rethrow();
  copyBytes(plaintext, ring.slot(index));
  if (final) ring.setCount(index + 1);
  ring.markReady(index, plaintext.length);
  job.markConsumed(index);
}
