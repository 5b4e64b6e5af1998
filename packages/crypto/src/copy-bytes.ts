import { backend } from '#backend';

/**
 * Copies all of `source` to the beginning of `target`, which may be shared memory: into that, `target.set(source)` takes three times as long (Node.js 24).
 * Throws `RangeError` when `target` is the shorter one.
 */
export function copyBytes(source: Uint8Array, target: Uint8Array): void {
  if (source.length > target.length) throw new RangeError('the target of a copy is too short');
  backend.copy(source, target.subarray(0, source.length));
}
