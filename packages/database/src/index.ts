export type { CipherKey } from './cipher-key.ts';
export type {
  BackupOptions,
  CofferDatabase,
  IntegrityCheckOptions,
  TransactionOptions,
} from './coffer-database.ts';
export { discardUnfinishedCopies } from './copy-aside.ts';
export type { RekeyOptions } from './database-copies.ts';
export { DatabaseError } from './errors.ts';
export type { DatabaseErrorCode } from './errors.ts';
export { FILE_ID_SIZE_BYTES, fileIdFromBytes, fileIdToBytes, parseFileId } from './file-id.ts';
export type { FileId } from './file-id.ts';
export type { FileSort } from './file-cursor.ts';
export type { FileQuery } from './file-query.ts';
export type { Condition, FileRow, Placement } from './file-row.ts';
export type { FileFilter, FilePage, FileTable, FolderSummary, ReadableFilePage } from './file-table.ts';
export type { ForeignCell, ForeignDatabase, ForeignRowids } from './foreign-database.ts';
export { openForeignDatabase } from './open-foreign-database.ts';
export { checkRuntime } from './driver.ts';
export { inspectDatabaseFile } from './inspect-file.ts';
export type { DatabaseFileState } from './inspect-file.ts';
export { createDatabase, openDatabase } from './open-database.ts';
export type { DatabaseOptions } from './open-database.ts';
export { findLockHolder } from './lock-holder.ts';
export { acquireOwnerLock, acquireReaderLock } from './owner-lock.ts';
export type { OwnerLock } from './owner-lock.ts';
export { scanPagesInChild } from './page-scan-child.ts';
export { scanPages } from './page-scan.ts';
export { needlesOfBlob } from './residue.ts';
export type { Residue } from './residue.ts';
export type { PageScan, PageScanOptions, PageScanProgress } from './page-scan.ts';
export { copyForReading } from './reading-copy.ts';
export type { ReadingCopy } from './reading-copy.ts';
export type { FileName, SurveyedFile } from './survey-files.ts';
export { readSaltCopy, writeSaltCopy } from './salt-copy.ts';
export type { SettingTable } from './setting-table.ts';
export type { StagedRekey } from './staged-rekey.ts';
export { MAX_TAG_LENGTH } from './tag-table.ts';
export type { TagCount, TagTable } from './tag-table.ts';
export type { Tombstone, TombstoneTable } from './tombstone-table.ts';
export type { NewTransfer, TransferFailure, TransferRow } from './transfer-row.ts';
export type { TransferQuery, TransferTable } from './transfer-table.ts';
export { keepsDamaged, putRebuiltInPlace } from './salvage/put-in-place.ts';
export { rebuildDatabase } from './salvage/rebuild.ts';
export type { RebuildOptions, RebuiltDatabase } from './salvage/rebuild.ts';
export { hasPagesUnder, inspectPages } from './salvage/damaged-file.ts';
export type { PageState } from './salvage/damaged-file.ts';
