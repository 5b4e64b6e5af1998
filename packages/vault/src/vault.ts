import type { CofferDatabase, FileQuery, FolderSummary, TagCount } from '@coffer/database';
import type { FileStorage, ReadOptions } from '@coffer/storage';
import { backUpVault } from './backup/backup-vault.ts';
import type { BackupEvent, BackupOptions } from './backup/backup-vault.ts';
import type { BackupMade } from './backup/marker.ts';
import { VaultError } from './errors.ts';
import { addPaths, addStream } from './files/add-files.ts';
import type { AddEvent } from './files/add-event.ts';
import type { AddPathsOptions, AddStreamOptions } from './files/add-files.ts';
import { checkVault } from './files/check-vault.ts';
import type { CheckEvent, CheckOptions } from './files/check-vault.ts';
import { exportPaths } from './files/export-files.ts';
import type { ExportEvent, ExportOptions } from './files/export-files.ts';
import { doctorVault } from './doctor/doctor-vault.ts';
import type { DoctorEvent, DoctorOptions } from './doctor/doctor-vault.ts';
import { toFileEntries } from './files/file-entry.ts';
import type { FileEntry } from './files/file-entry.ts';
import { getPaths } from './files/get-files.ts';
import type { GetEvent, GetOptions } from './files/get-files.ts';
import { moveItem } from './files/move-item.ts';
import { OwnFiles } from './files/own-files.ts';
import { adoptFiles, dropFiles, listQuarantine } from './files/quarantine.ts';
import type { AdoptEvent, AdoptOptions, DropEvent, QuarantinedFile } from './files/quarantine.ts';
import { listReadable } from './files/readable-rows.ts';
import type { FileListing } from './files/readable-rows.ts';
import { removePaths } from './files/remove-files.ts';
import type { RemoveEvent, RemoveOptions } from './files/remove-files.ts';
import { resolveItem } from './files/resolve-item.ts';
import type { ResolveOptions } from './files/resolve-item.ts';
import { filesOf, tagItem } from './files/tag-item.ts';
import type { TagChanges } from './files/tag-item.ts';
import { importDiscordopus } from './import/discordopus/import-discordopus.ts';
import type { ImportDiscordopusOptions } from './import/discordopus/import-discordopus.ts';
import { importFolder } from './import/import-folder.ts';
import type { ImportFolderOptions } from './import/import-folder.ts';
import type { LongWork } from './long-work.ts';
import type { VaultPaths } from './paths.ts';
import { keyEpochs } from './rotate/key-epochs.ts';
import type { KeyEpoch } from './rotate/key-epochs.ts';
import { isBackupError, readOnlyError } from './read-only.ts';
import type { ReadOnlyReason } from './read-only.ts';
import { resumeRotation, rotateVault } from './rotate/rotate-vault.ts';
import type { ResumeRotationOptions, RotateEvent, RotateOptions } from './rotate/rotate-vault.ts';
import type { VaultKeys } from './rotate/vault-keys.ts';
import type { RollbackGuard } from './rollback/rollback-guard.ts';
import type { ChangePassphraseOptions, KeySlots, RemovedSlot } from './slots/key-slots.ts';
import type { SlotInfo, SlotSecret } from './slots/slot.ts';
import { toVaultError } from './to-vault-error.ts';
import { vaultStatus } from './vault-status.ts';
import type { VaultStatus } from './vault-status.ts';
import type { KeychainPatience, NewSlotOptions } from './vault-file/create.ts';
import { ownFindings } from './own-findings.ts';

export type Resolved =
  { readonly kind: 'file'; readonly file: FileEntry } | { readonly kind: 'folder'; readonly folder: string };

/** What a vault is made of; put together by `createVault` and `openVault`. */
export interface VaultParts {
  readonly paths: VaultPaths;
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly slots: KeySlots;
  readonly keys: VaultKeys;
  readonly longWork: LongWork;
  readonly guard: RollbackGuard;
  readonly warnings: readonly string[];
  /** What was wrong with the key slots and was put right while opening. */
  readonly repaired: readonly string[];
  /** What is known of the backup that this vault is, when it is one. */
  readonly backup: BackupMade | undefined;
  /** Why nothing can be written to it: then the database is a copy of its own, and changes are refused. */
  readonly readOnly: ReadOnlyReason | undefined;
  /** Closes and zeroes everything, in the right order. */
  readonly resources: AsyncDisposableStack;
}

interface FilesContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly own: OwnFiles;
}

/**
 * An open vault: this process owns it until it is closed. All methods throw `VaultError`. ITEM arguments are paths, unique names, folders or ids,
 * as `resolve` says.
 */
export class Vault implements AsyncDisposable {
  readonly directory: string;
  readonly #parts: VaultParts;
  readonly #own: OwnFiles;

  constructor(parts: VaultParts) {
    this.directory = parts.paths.directory;
    this.#parts = parts;
    this.#own = new OwnFiles(parts.paths);
  }

  /** What was noticed while opening: an older copy that was put back, loose modes, a damaged copy of vault.json, what a crash left. */
  get warnings(): readonly string[] {
    return [...this.standingWarnings, ...this.#parts.warnings];
  }

  /** Those of the warnings that hold as long as nobody does something about them: that this is an older copy that was put back. */
  get standingWarnings(): readonly string[] {
    return this.#parts.guard.warnings;
  }

  /** 32 hex digits, made at `init`. */
  get vaultId(): string {
    return this.#parts.slots.vaultId;
  }

  /** Adds files and, with `recursive`, folders of this machine. Each event is yielded once its file is durable. */
  addPaths(
    paths: readonly string[],
    options: AddPathsOptions = {},
  ): AsyncGenerator<AddEvent, void, undefined> {
    return addPaths(this.#changingUnless(options), paths, options);
  }

  /** Adds what a stream yields as one file. Throws instead of a `failed` event. */
  async addStream(source: AsyncIterable<Uint8Array>, options: AddStreamOptions): Promise<AddEvent> {
    return addStream(this.#changing(), source, options);
  }

  /** Adds everything below a folder of this machine. */
  importFolder(source: string, options: ImportFolderOptions = {}): AsyncGenerator<AddEvent, void, undefined> {
    return importFolder(this.#changingUnless(options), source, options);
  }

  /** Imports a vault of the original Python application from its folder, which is only read. */
  importDiscordopus(
    source: string,
    options: ImportDiscordopusOptions,
  ): AsyncGenerator<AddEvent, void, undefined> {
    return importDiscordopus({ ...this.#changing(), directory: this.directory }, source, options);
  }

  /** A page of files. What can be read is there also where the database is damaged, and what can't be is named. */
  list(query: FileQuery = {}): FileListing {
    return this.#sync(({ database }) => listReadable(database, query));
  }

  /** The folders directly in a folder, with what is in them and below. */
  folders(parent = ''): readonly FolderSummary[] {
    return this.#sync(({ database }) => database.files.listFolders(parent));
  }

  tags(): readonly TagCount[] {
    return this.#sync(({ database }) => database.tags.all());
  }

  /** What an item stands for: a path, a unique name, a folder, or an id prefix. Throws `NOT_FOUND`, `AMBIGUOUS`. */
  resolve(item: string, options: ResolveOptions = {}): Resolved {
    return this.#sync(({ database }) => {
      const resolved = resolveItem(database, item, options);
      if (resolved.kind === 'folder') return resolved;
      const [file] = toFileEntries(database, [resolved.row]);
      if (file === undefined) throw new VaultError('NOT_FOUND', `there is no ${item}`);
      return { kind: 'file', file };
    });
  }

  /** Restores files and folders to this machine. */
  getPaths(items: readonly string[], options: GetOptions = {}): AsyncGenerator<GetEvent, void, undefined> {
    return getPaths(this.#context(), items, options);
  }

  /** Writes plain files under their whole paths below one folder: everything when `items` is empty. */
  exportPaths(
    items: readonly string[],
    options: ExportOptions,
  ): AsyncGenerator<ExportEvent, void, undefined> {
    return exportPaths(this.#context(), items, options);
  }

  /** The bytes of a file, or of `start` to `end` (exclusive), authenticated piece by piece. */
  async *read(item: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { database, storage } = this.#context();
    try {
      const resolved = resolveItem(database, item);
      if (resolved.kind === 'folder') throw new VaultError('NOT_A_FILE', `${resolved.folder}/ is a folder`);
      yield* storage.readFile(resolved.row.id, options);
    } catch (error) {
      throw toVaultError(error);
    }
  }

  /** Moves or renames a file or a folder; into `destination` when that is a folder or ends with a slash. */
  move(item: string, destination: string): FileEntry[] {
    return this.#change(({ database }) => moveItem(database, item, destination));
  }

  /** Adds and removes tags of a file, or of everything in a folder; without any it gives the files as they are. */
  tag(item: string, changes: TagChanges): FileEntry[] {
    const { add = [], remove = [] } = changes;
    if (add.length + remove.length === 0) return this.#sync(({ database }) => filesOf(database, item));
    return this.#change(({ database }) => tagItem(database, item, changes));
  }

  /** Removes files and, with `recursive`, folders. */
  removePaths(
    items: readonly string[],
    options: RemoveOptions = {},
  ): AsyncGenerator<RemoveEvent, void, undefined> {
    return removePaths(this.#changingUnless(options), items, options);
  }

  /** Verifies the vault, or some items of it, and yields what is wrong, then a summary. */
  check(options: CheckOptions = { mode: 'full' }): AsyncGenerator<CheckEvent, void, undefined> {
    const { database, storage, paths, repaired, guard, backup, readOnly } = this.#parts;
    // It may well be an older one.
    const isFixed = backup !== undefined || readOnly !== undefined;
    return checkVault(
      {
        database,
        storage,
        filesPath: paths.files,
        ownFindings: () => ownFindings(paths, repaired, isFixed ? undefined : guard.rollback),
      },
      options,
    );
  }

  /**
   * Makes `destination` a backup of the vault as it is now, or brings the backup that is there up to it: a vault's folder that the same secrets open. The vault
   * can be used meanwhile; deleting a sealed file waits until the backup has its copy of it. Sealed files that the backup has already are not copied
   * again. Whatever happens, the folder has the old backup or the new one. Yields what is copied and removed, and a summary when the new backup is
   * durable. Throws `EXISTS` (a folder that is something else, another vault's backup or one of a later state), `INVALID_INPUT` (the vault's own folder), `IN_USE`,
   * `NO_SPACE`, `NOT_PERMITTED`, `ABORTED`.
   */
  backup(destination: string, options: BackupOptions = {}): AsyncGenerator<BackupEvent, void, undefined> {
    // It is noted in the database; where that is only a copy, in that alone.
    const { database, storage } = this.#parts.readOnly === undefined ? this.#changing() : this.#context();
    return backUpVault(
      {
        directory: this.directory,
        database,
        storage,
        keys: this.#parts.keys,
        slots: this.#parts.slots,
        longWork: this.#parts.longWork,
      },
      destination,
      options,
    );
  }

  /**
   * What is wrong with the vault as far as it can be told quickly: names and sizes of all files, what is known to be damaged, what is left over, in quarantine
   * or not deleted yet. With `fix`, does what is safe. `diagnose` does this, and looks at what can be seen from outside as well.
   */
  doctor(options: DoctorOptions = {}): AsyncGenerator<DoctorEvent, void, undefined> {
    const context = options.fix === true ? this.#changing() : this.#context();
    return doctorVault({ ...context, paths: this.#parts.paths, nowMs: Date.now }, options);
  }

  /** Sealed files that no file of the vault named when they were found: an older database had been put back, for example. */
  async quarantine(): Promise<QuarantinedFile[]> {
    return this.#async((parts) => listQuarantine(parts));
  }

  /** Makes quarantined files, given by their names or the beginnings of their ids, files of the vault, once all of each is verified. */
  adopt(items: readonly string[], options: AdoptOptions = {}): AsyncGenerator<AdoptEvent, void, undefined> {
    return adoptFiles(this.#changing(), items, options);
  }

  /** Destroys quarantined files. */
  dropQuarantined(
    items: readonly string[],
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<DropEvent, void, undefined> {
    return dropFiles(this.#changing(), items, options);
  }

  /** The key slots: what this vault can be opened with. */
  slots(): readonly SlotInfo[] {
    return this.#parts.slots.list();
  }

  /** The key slot that a secret opens. Throws what opening the vault with it would: `WRONG_KEY`, and why a key file can't be read. */
  async verifySecret(secret: SlotSecret, options: KeychainPatience = {}): Promise<SlotInfo> {
    return this.#async(({ slots }) => slots.verify(secret, options));
  }

  /** Adds a key slot; it has been opened from disk when this returns. Throws `TOO_MANY_SLOTS`, `INVALID_INPUT`. */
  async addSlot(secret: SlotSecret, options: NewSlotOptions = {}): Promise<SlotInfo> {
    return this.#changeLater(({ slots }) => slots.add(secret, options));
  }

  /** Removes a key slot, given its id or the beginning of it, and its item in the keychain. Throws `LAST_SLOT`, `NOT_FOUND`, `AMBIGUOUS`. */
  async removeSlot(id: string, options: KeychainPatience = {}): Promise<RemovedSlot> {
    return this.#changeLater(({ slots }) => slots.remove(id, options));
  }

  /** Puts a slot with the next passphrase in the place of the one that the current passphrase opens. Throws `WRONG_KEY`. */
  async changePassphrase(options: ChangePassphraseOptions): Promise<SlotInfo> {
    return this.#changeLater(({ slots }) => slots.changePassphrase(options));
  }

  /**
   * Puts a new recovery code (`createRecoveryCode`) in the place of the old one, or adds the first. Whoever calls this has made sure that somebody has
   * the code.
   */
  async replaceRecoveryCode(code: Uint8Array, options: NewSlotOptions = {}): Promise<SlotInfo> {
    return this.#changeLater(({ slots }) => slots.replaceRecovery(code, options));
  }

  /**
   * Goes on with an older copy that was put back: from now on it is a copy of its own, and changes are possible again. Throws `INVALID_INPUT` when none was put
   * back.
   */
  async acceptRollback(): Promise<void> {
    return this.#async(async ({ guard, backup, readOnly }) => {
      if (backup !== undefined || readOnly !== undefined) this.#changing();
      await guard.accept();
    });
  }

  /**
   * Replaces the root key: the slots that stay get a new one with the same secret, the database a new key, every sealed file a new header. Everything can be used meanwhile.
   * Throws `INVALID_INPUT` (a slot that is neither kept nor dropped), `WRONG_KEY`, `LAST_SLOT`, `NO_SPACE`, `DAMAGED`, `IN_USE` before anything has changed.
   */
  rotate(options: RotateOptions): AsyncGenerator<RotateEvent, void, undefined> {
    return rotateVault(this.#changingParts(), options);
  }

  /** Goes on with a rotation that was interrupted: `status` says whether there is one. */
  resumeRotation(options: ResumeRotationOptions = {}): AsyncGenerator<RotateEvent, void, undefined> {
    return resumeRotation(this.#changingParts(), options);
  }

  /** How many sealed files there are under each key epoch. During a rotation it reads all their headers. */
  async keyEpochs(options: { readonly signal?: AbortSignal } = {}): Promise<readonly KeyEpoch[]> {
    return this.#async((parts) => keyEpochs(parts, options));
  }

  status(): VaultStatus {
    return this.#sync((parts) => vaultStatus(parts));
  }

  /** Cancels what is running, waits until it is cleaned up, closes everything and zeroes the keys. */
  async close(): Promise<void> {
    try {
      await this.#parts.resources.disposeAsync();
    } catch (error) {
      throw toVaultError(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #context(): FilesContext {
    if (this.#parts.resources.disposed) throw new VaultError('CLOSED', 'this vault is closed');
    return { database: this.#parts.database, storage: this.#parts.storage, own: this.#own };
  }

  /** For what changes a vault: a backup stays what it is, and so does an older copy that was put back, and what can only be read. */
  #changing(): FilesContext {
    const context = this.#context();
    const { guard, backup, readOnly, paths } = this.#parts;
    guard.refuseChanges();
    if (backup !== undefined) throw isBackupError(this.directory);
    if (readOnly !== undefined) throw readOnlyError(paths, readOnly);
    return context;
  }

  /** A dry run changes nothing, so that a backup can be asked as well. */
  #changingUnless({ dryRun }: { readonly dryRun?: boolean }): FilesContext {
    return dryRun === true ? this.#context() : this.#changing();
  }

  #change<T>(work: (parts: VaultParts) => T): T {
    return this.#sync((parts) => {
      this.#changing();
      return work(parts);
    });
  }

  async #changeLater<T>(work: (parts: VaultParts) => Promise<T>): Promise<T> {
    return this.#async(async (parts) => {
      this.#changing();
      return work(parts);
    });
  }

  #changingParts(): VaultParts {
    this.#changing();
    return this.#parts;
  }

  async #async<T>(work: (parts: VaultParts) => Promise<T>): Promise<T> {
    try {
      this.#context();
      return await work(this.#parts);
    } catch (error) {
      throw toVaultError(error);
    }
  }

  #sync<T>(work: (parts: VaultParts) => T): T {
    try {
      this.#context();
      return work(this.#parts);
    } catch (error) {
      throw toVaultError(error);
    }
  }
}
