export {
  closeFileStorage,
  configureFileStorage,
  deleteFile,
  getFile,
  getFileStorage,
  getMetadata,
  saveFile,
} from './default-storage.ts';
export { damagedSinceMs } from './condition.ts';
export { FileStorage } from './file-storage.ts';
export type { FileStorageOptions, PendingDeletions } from './file-storage.ts';
export { openFileStorage } from './open-file-storage.ts';
export type { OpenFileStorageOptions, OwnedFileStorage } from './open-file-storage.ts';
export { shredFile, shredWhole } from './sealed-folder.ts';
export type { AdoptOptions } from './adopt.ts';
export type { QuarantinedFile } from './quarantine.ts';
export { StorageKeys } from './storage-keys.ts';
export { StorageError } from './errors.ts';
export type { DamageCode, StorageErrorCode, StorageErrorOptions } from './errors.ts';
export { rebuildStorage } from './rebuild-database.ts';
export type { RebuildStorageOptions } from './rebuild-database.ts';
export { applyBackup } from './backup/apply-backup.ts';
export type { NotRestored, RestoreFilesOptions } from './backup/restore-files.ts';
export type { StageEvent, StageOptions, StageTotals, StageWatch } from './backup/stage-backup.ts';
export type { CheckOptions, CheckTotals, Finding, FindingCode } from './check.ts';
export type { DeleteOptions, DeleteResult } from './delete-file.ts';
export type { FileSource } from './file-source.ts';
export type { ReadOptions } from './read-file.ts';
export type { Recovery } from './recover.ts';
export type { ResealOptions, ResealProgress, ResealResult } from './reseal.ts';
export type { EpochCount, HeaderProblem, RewrapOptions, RewrapResult } from './rewrap.ts';
export type { FileToSave } from './save-file.ts';
export type { Placing, SaveOptions } from './save-options.ts';
export type { WriteFileOptions } from './write-file-to.ts';
export { DEFAULT_THRESHOLD_BYTES, MAX_THRESHOLD_BYTES } from './storage-context.ts';
export { MAX_GET_FILE_SIZE_BYTES } from './read-file.ts';
export { MAX_FILE_SIZE_BYTES } from './sealed-writer.ts';
export { MAX_FOLDER_SIZE_BYTES, MAX_NAME_SIZE_BYTES, parseFileName, parseFolder } from './names.ts';
export { MIME_SAMPLE_SIZE_BYTES, detectMimeType } from './mime-type.ts';
export { parseFileId } from '@coffer/database';
export type { FileId, FilePage, FileQuery, FileRow } from '@coffer/database';
