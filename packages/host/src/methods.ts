import type { Vault } from '@coffer/vault';
import * as v from 'valibot';
import * as schema from './argument-schemas.ts';
import type { Caller } from './caller.ts';
import {
  keyfileOfCaller,
  pathOfCaller,
  keyfilesOfCaller,
  withCwd,
  withCwdAndUmask,
  withDestination,
} from './local-arguments.ts';
import type { SentArguments } from './sent.ts';

/** The methods of a `Vault`, but for closing it, which is its owner's business. */
export type MethodName = Exclude<
  { [Name in keyof Vault]: Vault[Name] extends (...args: never[]) => unknown ? Name : never }[keyof Vault],
  'close' | typeof Symbol.asyncDispose
>;

/** What has to be known of a method to ask for it from another process. */
export interface Method {
  /** One result, or one after the other: events, or bytes. */
  readonly kind: 'call' | 'stream';
  /** All arguments, in their order, as they are sent; an optional one has its default. */
  readonly args: v.GenericSchema<unknown, readonly unknown[]>;
  /** Which argument takes `signal` and `onProgress`. */
  readonly options?: number;
  /** Which argument is a stream of bytes that the caller has. */
  readonly upload?: number;
  /** Makes paths, and whatever else depends on the process that calls, independent of the process that answers. */
  readonly fromCaller?: (args: readonly unknown[], caller: Caller) => readonly unknown[];
}

/** The same, held against the method of that name. */
interface MethodOf<Name extends MethodName> extends Method {
  readonly kind: ReturnType<Vault[Name]> extends AsyncGenerator ? 'stream' : 'call';
  readonly args: v.GenericSchema<unknown, SentArguments<Vault[Name]>>;
}

/**
 * Every method of a `Vault` that others may ask for; the compiler holds it complete. A new method of `Vault` is one row here: the schema of its arguments, and
 * what of them stays with the caller.
 */
export const METHODS: { readonly [Name in MethodName]: MethodOf<Name> } = {
  addPaths: {
    kind: 'stream',
    args: v.tuple([schema.texts, v.optional(schema.addPathsOptions, {})]),
    options: 1,
    fromCaller: withCwd(1),
  },
  addStream: {
    kind: 'call',
    args: v.tuple([v.null(), schema.addStreamOptions]),
    options: 1,
    upload: 0,
  },
  importFolder: {
    kind: 'stream',
    args: v.tuple([schema.text, v.optional(schema.importFolderOptions, {})]),
    options: 1,
    fromCaller: withCwd(1),
  },
  importDiscordopus: {
    kind: 'stream',
    args: v.tuple([schema.text, schema.importDiscordopusOptions]),
    options: 1,
    fromCaller: pathOfCaller(0),
  },
  list: { kind: 'call', args: v.tuple([v.optional(schema.fileQuery, {})]) },
  folders: { kind: 'call', args: v.tuple([v.optional(schema.text, '')]) },
  tags: { kind: 'call', args: v.tuple([]) },
  resolve: { kind: 'call', args: v.tuple([schema.text, v.optional(schema.resolveOptions, {})]) },
  getPaths: {
    kind: 'stream',
    args: v.tuple([schema.texts, v.optional(schema.getOptions, {})]),
    options: 1,
    fromCaller: withCwdAndUmask(1),
  },
  exportPaths: {
    kind: 'stream',
    args: v.tuple([schema.texts, schema.exportOptions]),
    options: 1,
    fromCaller: withDestination(1, 'destination'),
  },
  read: { kind: 'stream', args: v.tuple([schema.text, v.optional(schema.readOptions, {})]), options: 1 },
  move: { kind: 'call', args: v.tuple([schema.text, schema.text]) },
  tag: { kind: 'call', args: v.tuple([schema.text, schema.tagChanges]) },
  removePaths: {
    kind: 'stream',
    args: v.tuple([schema.texts, v.optional(schema.removeOptions, {})]),
    options: 1,
  },
  check: {
    kind: 'stream',
    args: v.tuple([v.optional(schema.checkOptions, { mode: 'full' })]),
    options: 0,
  },
  backup: {
    kind: 'stream',
    args: v.tuple([schema.text, v.optional(schema.backupOptions, {})]),
    options: 1,
    fromCaller: pathOfCaller(0),
  },
  doctor: { kind: 'stream', args: v.tuple([v.optional(schema.doctorOptions, {})]), options: 0 },
  quarantine: { kind: 'call', args: v.tuple([]) },
  adopt: { kind: 'stream', args: v.tuple([schema.texts, v.optional(schema.adoptOptions, {})]), options: 1 },
  dropQuarantined: {
    kind: 'stream',
    args: v.tuple([schema.texts, v.optional(schema.dropOptions, {})]),
    options: 1,
  },
  slots: { kind: 'call', args: v.tuple([]) },
  addSlot: {
    kind: 'call',
    args: v.tuple([schema.slotSecret, v.optional(schema.newSlotOptions, {})]),
    options: 1,
    fromCaller: keyfileOfCaller(0),
  },
  removeSlot: {
    kind: 'call',
    args: v.tuple([schema.text, v.optional(schema.keychainPatience, {})]),
    options: 1,
  },
  changePassphrase: { kind: 'call', args: v.tuple([schema.changePassphraseOptions]) },
  verifySecret: {
    kind: 'call',
    args: v.tuple([schema.slotSecret, v.optional(schema.keychainPatience, {})]),
    options: 1,
    fromCaller: keyfileOfCaller(0),
  },
  replaceRecoveryCode: {
    kind: 'call',
    args: v.tuple([schema.secretBytes, v.optional(schema.newSlotOptions, {})]),
    options: 1,
  },
  rotate: {
    kind: 'stream',
    args: v.tuple([schema.rotateOptions]),
    options: 0,
    fromCaller: keyfilesOfCaller(0),
  },
  resumeRotation: {
    kind: 'stream',
    args: v.tuple([v.optional(schema.resumeRotationOptions, {})]),
    options: 0,
  },
  keyEpochs: { kind: 'call', args: v.tuple([v.optional(schema.keyEpochsOptions, {})]), options: 0 },
  acceptRollback: { kind: 'call', args: v.tuple([]) },
  status: { kind: 'call', args: v.tuple([]) },
};
