import { SecretKey } from '@coffer/crypto';
import type { StagedRekey } from '@coffer/database';
import type { HeaderProblem } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import type { BulkProgress } from '../files/bulk-progress.ts';
import type { SlotInfo } from '../slots/slot.ts';
import { toVaultError } from '../to-vault-error.ts';
import type { VaultParts } from '../vault.ts';
import type { KeptSlot } from '../vault-file/rotate-slots.ts';
import { HeaderMeter, contentMeter } from './rotate-progress.ts';

export interface ResumeRotationOptions {
  /**
   * Seals the contents again as well, under fresh file keys: for when headers or file keys may have been copied. What is still being received or saved has to wait
   * until it is whole; the rotation is not finished before.
   */
  readonly reseal?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

export interface RotateOptions extends ResumeRotationOptions {
  /** The slots that stay, each with its secret: what it opens with, the keychain, or a new recovery code. */
  readonly keep: readonly KeptSlot[];
  /** The ids of all other slots, which open the vault no more. */
  readonly drop?: readonly string[];
  /** How long the keychain may wait for somebody to unlock it; a minute when not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
}

export type RotateEvent =
  /** The new slots are durable, and the only ones: from here on a rotation is finished, never undone. */
  | {
      readonly type: 'slots';
      readonly slots: readonly SlotInfo[];
      readonly dropped: readonly SlotInfo[];
      readonly warnings: readonly string[];
    }
  /** The database is under the new root key. */
  | { readonly type: 'database' }
  /** A sealed file that keeps its old header or file key. `damaged`: nothing opens it, and nothing is lost. `failed`: the rotation has to be gone on with. */
  | {
      readonly type: 'problem';
      readonly kind: 'damaged' | 'failed';
      /** In `files/` or `quarantine/`. */
      readonly path: string;
      readonly message: string;
    }
  | {
      readonly type: 'summary';
      readonly keyEpoch: number;
      /** Headers that were written anew by this call. */
      readonly rewrapped: number;
      /** Files that were sealed again by this call, and their bytes. */
      readonly resealed: number;
      readonly resealedBytes: number;
      /** Whether nothing is left under an earlier root key, and nothing is left to be sealed again. */
      readonly finished: boolean;
    };

const RUNNING = 'a rotation of the root key';

/** What a rotation that was interrupted still has to do, in this order; `none` when there is none. */
export type RotationState = 'none' | 'database' | 'headers' | 'reseal';

export function rotationState({ keys, storage }: Pick<VaultParts, 'keys' | 'storage'>): RotationState {
  if (keys.isRotating) return keys.isDatabaseBehind ? 'database' : 'headers';
  return storage.isResealUnfinished ? 'reseal' : 'none';
}

/**
 * Replaces the root key. First everything that can go wrong without having changed anything: the database under the new key is made and verified beside the old
 * one, the new slots are made and proven. Then `vault.json` is replaced, and from there on the rotation can only be finished: the database, every header, the
 * end of the old root key, the contents if they are to be sealed again. Interrupted anywhere, `resumeRotation` goes on.
 */
export async function* rotateVault(
  parts: VaultParts,
  options: RotateOptions,
): AsyncGenerator<RotateEvent, void, undefined> {
  try {
    if (rotationState(parts) !== 'none') {
      throw new VaultError('INVALID_INPUT', 'an earlier rotation of the root key is not finished', {
        hint: '`coffer key rotate` goes on with it',
      });
    }
    options.signal?.throwIfAborted();
    using work = new DisposableStack();
    work.use(parts.longWork.begin(RUNNING));
    using starting = new DisposableStack();
    const next = starting.use(SecretKey.generate());
    const staged = await stage(parts, next, options.signal);
    using staging = new DisposableStack();
    staging.defer(() => {
      staged.discard();
    });
    const { keep, drop = [], reseal = false, signal, keychainTimeoutMs } = options;
    const begun = await parts.slots.beginRotation(
      {
        next,
        keep,
        drop,
        reseal,
        ...(signal === undefined ? {} : { signal }),
        ...(keychainTimeoutMs === undefined ? {} : { keychainTimeoutMs }),
      },
      () => {
        // The vault's from now on.
        starting.move();
        parts.keys.advance(next);
      },
    );
    const { slots, dropped, warnings } = begun;
    yield { type: 'slots', slots, dropped, warnings };
    yield* goOn(parts, options, staged);
  } catch (error) {
    throw toVaultError(error);
  }
}

/** Goes on with a rotation that was interrupted, to its end. */
export async function* resumeRotation(
  parts: VaultParts,
  options: ResumeRotationOptions,
): AsyncGenerator<RotateEvent, void, undefined> {
  try {
    if (rotationState(parts) === 'none')
      throw new VaultError('INVALID_INPUT', 'there is no unfinished rotation of the root key');
    using work = new DisposableStack();
    work.use(parts.longWork.begin(RUNNING));
    yield* goOn(parts, options, undefined);
  } catch (error) {
    throw toVaultError(error);
  }
}

async function* goOn(
  parts: VaultParts,
  options: ResumeRotationOptions,
  staged: StagedRekey | undefined,
): AsyncGenerator<RotateEvent, void, undefined> {
  const { keys, storage, slots } = parts;
  const { signal } = options;
  const cancelling = signal === undefined ? {} : { signal };
  // At once, for an interruption from here on. One that begins has it in `previous`, and a change now would make the staged copy out of date.
  if (options.reseal === true && staged === undefined) storage.beginReseal();
  let rewrapped = 0;
  if (keys.isRotating) {
    if (keys.isDatabaseBehind) {
      await moveDatabase(staged ?? (await stage(parts, keys.root, signal)));
      yield { type: 'database' };
    }
    const meter = new HeaderMeter(options.onProgress);
    const result = await storage.rewrapHeaders({ ...cancelling, onProgress: meter.advance });
    rewrapped = result.rewrapped;
    yield* problems('damaged', result.damaged);
    yield* problems('failed', result.failed);
    if (result.failed.length > 0) {
      yield summary(parts, rewrapped);
      return;
    }
    // Before it is forgotten with the rest of `previous`.
    if (slots.rotation?.reseal === true) storage.beginReseal();
    await slots.endRotation();
    keys.forgetPrevious();
  }
  if (!storage.isResealUnfinished) {
    yield summary(parts, rewrapped);
    return;
  }
  const result = await storage.resealFiles({ ...cancelling, onProgress: contentMeter(options.onProgress) });
  yield* problems('damaged', result.damaged);
  yield* problems('failed', result.waiting);
  yield summary(parts, rewrapped, { files: result.resealed, bytes: result.sizeBytes });
}

function stage(
  { keys, database }: VaultParts,
  next: SecretKey,
  signal: AbortSignal | undefined,
): Promise<StagedRekey> {
  return keys.withDatabaseKeys(next, (both) =>
    database.stageRekey({
      ...both,
      onInPlace: () => {
        keys.databaseHasMoved();
      },
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}

async function moveDatabase(staged: StagedRekey): Promise<void> {
  try {
    await staged.commit();
  } finally {
    staged.discard();
  }
}

function* problems(
  kind: 'damaged' | 'failed',
  found: readonly HeaderProblem[],
): Generator<RotateEvent, void, undefined> {
  for (const { path, message } of found) yield { type: 'problem', kind, path, message };
}

function summary(
  parts: VaultParts,
  rewrapped: number,
  resealed: { readonly files: number; readonly bytes: number } = { files: 0, bytes: 0 },
): RotateEvent {
  return {
    type: 'summary',
    keyEpoch: parts.keys.storage.currentEpoch,
    rewrapped,
    resealed: resealed.files,
    resealedBytes: resealed.bytes,
    finished: rotationState(parts) === 'none',
  };
}
