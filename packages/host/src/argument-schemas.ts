import type {
  AddPathsOptions,
  AdoptOptions,
  AddStreamOptions,
  BackupOptions,
  ChangePassphraseOptions,
  CheckOptions,
  DoctorOptions,
  ExportOptions,
  FileQuery,
  GetOptions,
  ImportDiscordopusOptions,
  ImportFolderOptions,
  KeychainPatience,
  NewSlotOptions,
  ReadOptions,
  RemoveOptions,
  ResolveOptions,
  ResumeRotationOptions,
  RotateOptions,
  SlotSecret,
  TagChanges,
} from '@coffer/vault';
import * as v from 'valibot';
import type { Sent } from './sent.ts';

/** Bounds of what a request may ask for. They are wider than what a vault accepts: it has rules of its own. */
const MAX_TEXT_LENGTH = 65_536;
const MAX_LIST_LENGTH = 500_000;
const MAX_SECRET_SIZE_BYTES = 65_536;

type Schema<T> = v.GenericSchema<unknown, Sent<T>>;

export const text: Schema<string> = v.pipe(v.string(), v.maxLength(MAX_TEXT_LENGTH));
export const texts: Schema<readonly string[]> = v.pipe(v.array(text), v.maxLength(MAX_LIST_LENGTH));

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const flag = v.exactOptional(v.boolean());
const someText = v.exactOptional(text);
const someTexts = v.exactOptional(texts);
const someCount = v.exactOptional(count);
export const secretBytes: Schema<Uint8Array> = v.pipe(
  v.instance(Uint8Array),
  v.check((bytes) => bytes.length <= MAX_SECRET_SIZE_BYTES),
);

const adding = {
  folder: someText,
  tags: someTexts,
  onConflict: v.exactOptional(v.picklist(['skip', 'rename', 'replace', 'fail'])),
};

export const addPathsOptions: Schema<AddPathsOptions> = v.strictObject({
  ...adding,
  recursive: flag,
  name: someText,
  exclude: someTexts,
  dryRun: flag,
  sha256: someText,
  cwd: someText,
});

export const importFolderOptions: Schema<ImportFolderOptions> = v.strictObject({
  ...adding,
  exclude: someTexts,
  dryRun: flag,
  cwd: someText,
});

export const importDiscordopusOptions: Schema<ImportDiscordopusOptions> = v.strictObject({
  ...adding,
  databaseKey: v.exactOptional(secretBytes),
  databasePassphrase: v.exactOptional(secretBytes),
  fernetKey: v.exactOptional(secretBytes),
  dryRun: flag,
});

export const addStreamOptions: Schema<AddStreamOptions> = v.strictObject({
  ...adding,
  name: text,
  mimeType: someText,
  sha256: someText,
});

export const fileQuery: Schema<FileQuery> = v.strictObject({
  folder: someText,
  recursive: flag,
  tag: someText,
  mimeType: someText,
  text: someText,
  createdSinceMs: v.exactOptional(v.number()),
  createdUntilMs: v.exactOptional(v.number()),
  minSizeBytes: someCount,
  maxSizeBytes: someCount,
  placement: v.exactOptional(v.picklist(['blob', 'sealed'])),
  condition: v.exactOptional(v.picklist(['ok', 'missing', 'damaged'])),
  sort: v.exactOptional(v.picklist(['path', 'name', 'size', 'created', 'modified'])),
  descending: flag,
  limit: someCount,
  cursor: someText,
});

export const resolveOptions: Schema<ResolveOptions> = v.strictObject({ strict: flag });

export const getOptions: Schema<GetOptions> = v.strictObject({
  destination: someText,
  force: flag,
  cwd: someText,
  umask: someCount,
});

export const exportOptions: Schema<ExportOptions> = v.strictObject({
  destination: text,
  umask: someCount,
  force: flag,
  skipExisting: flag,
  checksums: flag,
});

export const readOptions: Schema<ReadOptions> = v.strictObject({
  start: someCount,
  end: someCount,
  transient: flag,
});

export const tagChanges: Schema<TagChanges> = v.strictObject({ add: someTexts, remove: someTexts });

export const removeOptions: Schema<RemoveOptions> = v.strictObject({
  recursive: flag,
  shred: flag,
  dryRun: flag,
});

export const doctorOptions: Schema<DoctorOptions> = v.strictObject({ fix: flag });

export const adoptOptions: Schema<AdoptOptions> = v.strictObject({ name: someText, folder: someText });

/** Nothing but a signal, which is not sent. */
export const dropOptions: Schema<{ readonly signal?: AbortSignal }> = v.strictObject({});

export const checkOptions: Schema<CheckOptions> = v.strictObject({
  items: someTexts,
  mode: v.picklist(['full', 'quick', 'sample']),
  samplePercent: v.exactOptional(v.number()),
});

export const backupOptions: Schema<BackupOptions> = v.strictObject({ dryRun: flag, verify: flag });

export const slotSecret: Schema<SlotSecret> = v.variant('kind', [
  v.strictObject({ kind: v.literal('passphrase'), passphrase: secretBytes }),
  v.strictObject({ kind: v.literal('keyfile'), path: text }),
  v.strictObject({ kind: v.literal('keychain') }),
  v.strictObject({ kind: v.literal('recovery'), code: secretBytes }),
]);

export const newSlotOptions: Schema<NewSlotOptions> = v.strictObject({
  label: someText,
  argon2id: v.exactOptional(v.strictObject({ memoryKiB: count, passes: count, parallelism: count })),
  nowMs: someCount,
  keychainTimeoutMs: someCount,
});

export const keychainPatience: Schema<KeychainPatience> = v.strictObject({ keychainTimeoutMs: someCount });

export const changePassphraseOptions: Schema<ChangePassphraseOptions> = v.strictObject({
  current: secretBytes,
  next: secretBytes,
  slotId: someText,
});

const reseal = { reseal: flag };

export const rotateOptions: Schema<RotateOptions> = v.strictObject({
  ...reseal,
  keep: v.pipe(v.array(v.strictObject({ slotId: text, secret: slotSecret })), v.maxLength(MAX_LIST_LENGTH)),
  drop: someTexts,
  keychainTimeoutMs: someCount,
});

export const resumeRotationOptions: Schema<ResumeRotationOptions> = v.strictObject(reseal);

export const keyEpochsOptions: Schema<object> = v.strictObject({});
