export { TransferModelError } from './errors.ts';
export type { TransferModelErrorCode } from './errors.ts';
export { chunkBounds, chunkCount, createFileChunk, isFileChunkIntact, parseFileChunk } from './file-chunk.ts';
export type { ChunkBounds, FileChunk } from './file-chunk.ts';
export { parseFileTransferMetadata } from './file-transfer-metadata.ts';
export type { FileTransferMetadata } from './file-transfer-metadata.ts';
export {
  CHUNK_SIZE_BYTES,
  MAX_CHUNK_COUNT,
  MAX_FILE_SIZE_BYTES,
  MAX_MIME_TYPE_LENGTH,
  MAX_PATH_DEPTH,
  MAX_PATH_SIZE_BYTES,
} from './limits.ts';
export { ProgressMeter, progressFromSamples } from './progress-meter.ts';
export type { ProgressOptions, ProgressSample } from './progress-meter.ts';
export { findPathCollision, parseRelativePath } from './relative-path.ts';
export type { RelativePath } from './relative-path.ts';
export { TRANSFER_DIRECTIONS, parseTransferDirection } from './transfer-direction.ts';
export type { TransferDirection } from './transfer-direction.ts';
export { parseTransferProgress } from './transfer-progress.ts';
export type { TransferProgress } from './transfer-progress.ts';
export {
  RESUMABLE_STATES,
  TRANSFER_STATES,
  canTransition,
  isTerminal,
  parseTransferState,
  transition,
} from './transfer-state.ts';
export type { TransferState } from './transfer-state.ts';
