import { backend } from '#backend';

/**
 * Whether two arrays are equal, in a time that depends on their lengths only. Different lengths are unequal at once: a length is not
 * a secret.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && backend.equal(a, b);
}
