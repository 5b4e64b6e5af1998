import type { VaultParts } from '../vault.ts';

/** Sealed files whose file keys are wrapped under one key epoch. */
export interface KeyEpoch {
  /** `undefined`: no key opens their headers, or there is no such file. */
  readonly epoch: number | undefined;
  readonly files: number;
}

/**
 * How many sealed files there are under each key epoch, the current one first. When no rotation is unfinished all are under the current one:
 * a rotation reads every header once more before it ends. Otherwise the headers are read.
 */
export async function keyEpochs(
  { keys, storage, database }: VaultParts,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly KeyEpoch[]> {
  const current = keys.storage.currentEpoch;
  if (!keys.isRotating) return [{ epoch: current, files: database.files.count({ placement: 'sealed' }) }];
  const { byEpoch, unreadable } = await storage.countKeyEpochs(options);
  const counted = [...byEpoch].map(([epoch, files]) => ({ epoch, files })).sort((a, b) => b.epoch - a.epoch);
  const all = byEpoch.has(current) ? counted : [{ epoch: current, files: 0 }, ...counted];
  return unreadable === 0 ? all : [...all, { epoch: undefined, files: unreadable }];
}
