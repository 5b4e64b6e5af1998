export { checkNotOpen } from './check-not-open.ts';
export { createVault } from './create-vault.ts';
export type { CreateVaultOptions } from './create-vault.ts';
export { openVault, readVaultSlots } from './open-vault.ts';
export type { OpenVaultOptions, VaultSlots } from './open-vault.ts';
export type { BackupEvent, BackupOptions, BackupSummary } from './backup/backup-vault.ts';
export { checkRestore, restoreVault } from './backup/restore-vault.ts';
export type { RestoreEvent, RestoreOptions, RestoreSummary } from './backup/restore-vault.ts';
export { Vault } from './vault.ts';
export type { FileListing, Resolved } from './vault.ts';
export type { RollbackState } from './rollback/rollback-guard.ts';
export type { VaultStatus } from './vault-status.ts';
export { VaultError } from './errors.ts';
export type { VaultErrorCode, VaultErrorOptions } from './errors.ts';
export type { AddEvent, AddNote } from './files/add-event.ts';
export type { AddPathsOptions, AddStreamOptions } from './files/add-files.ts';
export type { BulkProgress } from './files/bulk-progress.ts';
export type { CheckEvent, CheckOptions } from './files/check-vault.ts';
export { diagnose } from './doctor/diagnose.ts';
export type { DiagnoseEvent, DiagnoseOptions, DoctorClient } from './doctor/diagnose.ts';
export type { DoctorEvent, DoctorOptions } from './doctor/doctor-vault.ts';
export { rebuildVault } from './doctor/rebuild-vault.ts';
export type { RebuildSummary, RebuildVaultOptions, RebuiltFile } from './doctor/rebuild-vault.ts';
export type { Machine } from './doctor/examine-folder.ts';
export type { Finding, FindingSubject } from './doctor/finding.ts';
export { FINDING_KINDS } from './doctor/finding-kinds.ts';
export type { FindingCode, FindingKind, MendAbout } from './doctor/finding-kinds.ts';
export type { ExportEvent, ExportOptions } from './files/export-files.ts';
export type { FileEntry } from './files/file-entry.ts';
export type { GetEvent, GetOptions } from './files/get-files.ts';
export type { OnConflict } from './files/place-file.ts';
export type { AdoptEvent, AdoptOptions, DropEvent, QuarantinedFile } from './files/quarantine.ts';
export type { RemoveEvent, RemoveOptions } from './files/remove-files.ts';
export type { ResolveOptions } from './files/resolve-item.ts';
export type { TagChanges } from './files/tag-item.ts';
export type { SkipReason } from './files/walk-sources.ts';
export type { ImportDiscordopusOptions } from './import/discordopus/import-discordopus.ts';
export type { ImportFolderOptions } from './import/import-folder.ts';
export { createKeyfile } from './keyfile.ts';
export { passphraseWarning } from './passphrase.ts';
export { defaultVaultDirectory, vaultPaths } from './paths.ts';
export type { DefaultDirectoryInput, VaultPaths } from './paths.ts';
export { createRecoveryCode, parseRecoveryCode } from './recovery-code.ts';
export { createRecoveryCodeFile } from './recovery-code-file.ts';
export type { RecoveryCodeFileOptions } from './recovery-code-file.ts';
export type { KeyEpoch } from './rotate/key-epochs.ts';
export type {
  ResumeRotationOptions,
  RotateEvent,
  RotateOptions,
  RotationState,
} from './rotate/rotate-vault.ts';
export type { KeptSlot } from './vault-file/rotate-slots.ts';
export type { ChangePassphraseOptions, RemovedSlot } from './slots/key-slots.ts';
export { DEFAULT_ARGON2ID } from './slots/slot.ts';
export type { Argon2idCost, SlotInfo, SlotKind, SlotSecret } from './slots/slot.ts';
export type { KeychainPatience, NewSlotOptions } from './vault-file/create.ts';
export type { ReadOptions } from '@coffer/storage';
export type { FileQuery, FileSort, FolderSummary, TagCount } from '@coffer/database';
