import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { hexToBytes } from '@coffer/crypto';
import type { CofferDatabase } from '@coffer/database';
import { parseFileName, parseFolder } from '@coffer/storage';
import type { FileStorage } from '@coffer/storage';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import type { AddEvent } from './add-event.ts';
import { addSteps } from './add-steps.ts';
import type { AddStep } from './add-steps.ts';
import { BulkMeter } from './bulk-progress.ts';
import type { BulkProgress } from './bulk-progress.ts';
import { FileAdder } from './file-adder.ts';
import type { AdderOptions, ExpectedContent, NewFile } from './file-adder.ts';
import { joinPath } from './file-entry.ts';
import { pathFrom } from './local-path.ts';
import type { OwnFiles } from './own-files.ts';
import { placeFile } from './place-file.ts';
import type { OnConflict } from './place-file.ts';
import { parseTags } from './tags.ts';
import { walkSources } from './walk-sources.ts';
import type { WalkOptions, Walked } from './walk-sources.ts';

export interface AddOptions {
  /** The folder of the vault to add to; `''`, the root, when not given. */
  readonly folder?: string;
  readonly tags?: readonly string[];
  /** `fail` when not given. */
  readonly onConflict?: OnConflict;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

export interface AddPathsOptions extends AddOptions {
  /** Without it folders are skipped. */
  readonly recursive?: boolean;
  /** Another name; for one path only. */
  readonly name?: string;
  /** Globs of what is left out. */
  readonly exclude?: readonly string[];
  /** 64 hex digits: content that has another SHA-256 is refused with `DAMAGED`; for one file only. */
  readonly sha256?: string;
  /** Where relative paths are taken from: the current folder when not given. */
  readonly cwd?: string;
  /** Say what would be added, and add nothing. */
  readonly dryRun?: boolean;
}

export interface AddStreamOptions extends AddOptions {
  readonly name: string;
  readonly mimeType?: string;
  /** 64 hex digits: content that has another SHA-256 is refused with `DAMAGED`. */
  readonly sha256?: string;
}

export interface AddContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly own: OwnFiles;
}

/**
 * Adds files and folders of this machine. Each file is durable before its event is yielded. What can't be added is named and the
 * others go on; only cancelling ends it early, with `ABORTED`.
 */
export async function* addPaths(
  context: AddContext,
  paths: readonly string[],
  options: AddPathsOptions,
): AsyncGenerator<AddEvent, void, undefined> {
  if (options.name !== undefined && paths.length !== 1) {
    throw new VaultError('INVALID_INPUT', 'a name can be given to one file only');
  }
  if (options.sha256 !== undefined && paths.length !== 1) {
    throw new VaultError('INVALID_INPUT', 'a SHA-256 can be given of one file only');
  }
  const expected = parseExpected(options);
  const { folder, ...adderOptions } = parseAddOptions(options);
  const walkOptions: WalkOptions = {
    recursive: options.recursive ?? false,
    folder,
    exclude: options.exclude ?? [],
    own: context.own,
    cwd: options.cwd ?? process.cwd(),
  };
  const meter = new BulkMeter(options.onProgress, options.onProgress && (await measure(paths, walkOptions)));
  const adder = new FileAdder(context, adderOptions, meter);
  async function* steps(): AsyncGenerator<AddStep, void, undefined> {
    for await (const walked of walkSources(paths, walkOptions)) {
      yield await toStep(
        context,
        walked,
        paths,
        { ...options, cwd: walkOptions.cwd, expected },
        adderOptions,
      );
    }
  }
  yield* addSteps(adder, steps(), options.signal);
  meter.finish();
}

/** Adds what a stream yields, as one file. Throws what keeps it from being added, instead of a `failed` event. */
export async function addStream(
  context: AddContext,
  source: AsyncIterable<Uint8Array>,
  options: AddStreamOptions,
): Promise<AddEvent> {
  const { folder, ...adderOptions } = parseAddOptions(options);
  const meter = new BulkMeter(options.onProgress, undefined);
  const adder = new FileAdder(context, { ...adderOptions, mimeType: options.mimeType }, meter);
  const expected = parseExpected(options);
  const event = await adder.add({ source, label: '-', folder, name: options.name, sizeBytes: 0, expected });
  if (event.type === 'failed') throw event.error;
  meter.finish();
  return event;
}

/** What is to be done with something that was found: a file to add, or an event that says why not. */
async function toStep(
  context: AddContext,
  walked: Walked,
  paths: readonly string[],
  {
    name,
    dryRun,
    cwd,
    expected,
  }: AddPathsOptions & Pick<WalkOptions, 'cwd'> & Required<Pick<NewFile, 'expected'>>,
  { onConflict }: AdderOptions,
): Promise<AddStep> {
  if (walked.kind === 'skipped') return { type: 'skipped', source: walked.source, reason: walked.reason };
  if (walked.kind === 'failed') return { type: 'failed', source: walked.source, error: walked.error };
  const file: NewFile = {
    source: { path: pathFrom(cwd, walked.source) },
    label: walked.source,
    folder: walked.folder,
    name: name === undefined || walked.source !== paths[0] ? walked.name : name,
    sizeBytes: walked.sizeBytes,
    expected,
  };
  if (dryRun !== true) return file;
  try {
    await access(pathFrom(cwd, walked.source), constants.R_OK);
  } catch (error) {
    return {
      type: 'failed',
      source: walked.source,
      error: errnoToVaultError(error, `cannot read ${walked.source}`),
    };
  }
  return plan(context, file, onConflict);
}

function plan({ database }: AddContext, file: NewFile, onConflict: OnConflict): AddEvent {
  const { label: source, sizeBytes } = file;
  try {
    const place = placeFile(database, parseFolder(file.folder), parseFileName(file.name), onConflict);
    if (place === undefined) return { type: 'skipped', source, reason: 'exists' };
    return { type: 'planned', source, path: joinPath(place.folder, place.name), sizeBytes };
  } catch (error) {
    return { type: 'failed', source, error: toVaultError(error) };
  }
}

function parseExpected({ sha256 }: { readonly sha256?: string }): ExpectedContent {
  if (sha256 === undefined) return {};
  if (/^[0-9a-f]{64}$/i.test(sha256)) return { sha256: hexToBytes(sha256.toLowerCase()) };
  throw new VaultError('INVALID_INPUT', `not a SHA-256: ${sha256.slice(0, 80)}`, {
    hint: 'it is 64 hex digits',
  });
}

/** Checks what all ways of adding have in common. */
export function parseAddOptions(options: AddOptions): AdderOptions & { readonly folder: string } {
  try {
    return {
      folder: parseFolder((options.folder ?? '').replace(/^\/+|\/+$/g, '')),
      tags: parseTags(options.tags ?? []),
      onConflict: options.onConflict ?? 'fail',
      signal: options.signal,
    };
  } catch (error) {
    throw toVaultError(error);
  }
}

async function measure(
  paths: readonly string[],
  options: WalkOptions,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for await (const walked of walkSources(paths, options)) {
    if (walked.kind !== 'file') continue;
    files++;
    bytes += walked.sizeBytes;
  }
  return { files, bytes };
}
