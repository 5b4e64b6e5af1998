import { backend } from '#backend';
import { requireBytes, requireInteger } from './argument.ts';

export interface Argon2idParameters {
  readonly memoryKiB: number;
  readonly passes: number;
  /** Lanes. */
  readonly parallelism: number;
  /** Of the derived key. */
  readonly lengthBytes: number;
}

export type Argon2idLimit = keyof Argon2idParameters | 'saltSizeBytes' | 'passwordSizeBytes';

/**
 * Parameters come from files that may be hostile. Below, a guess is too cheap (19 MiB with 2 passes is OWASP's minimum); above, one file
 * could take all memory or keep a machine busy for minutes.
 */
export const ARGON2ID_LIMITS: Readonly<
  Record<Argon2idLimit, { readonly min: number; readonly max: number }>
> = {
  memoryKiB: { min: 19_456, max: 1_048_576 },
  passes: { min: 2, max: 10 },
  parallelism: { min: 1, max: 4 },
  lengthBytes: { min: 16, max: 64 },
  saltSizeBytes: { min: 8, max: 64 },
  passwordSizeBytes: { min: 0, max: 65_536 },
};

/**
 * A key from a password: RFC 9106, Argon2id, version 0x13. Off the main thread on Node; elsewhere in slices of it.
 *
 * @throws CryptoError INVALID_ARGUMENT for what is outside `ARGON2ID_LIMITS`
 */
export async function argon2id(
  password: Uint8Array,
  salt: Uint8Array,
  parameters: Argon2idParameters,
): Promise<Uint8Array> {
  const { memoryKiB, passes, parallelism, lengthBytes } = parameters;
  const limits = ARGON2ID_LIMITS;
  requireBytes(password, limits.passwordSizeBytes.min, limits.passwordSizeBytes.max, 'the password');
  requireBytes(salt, limits.saltSizeBytes.min, limits.saltSizeBytes.max, 'the salt');
  requireInteger(memoryKiB, limits.memoryKiB.min, limits.memoryKiB.max, 'memoryKiB');
  requireInteger(passes, limits.passes.min, limits.passes.max, 'passes');
  requireInteger(parallelism, limits.parallelism.min, limits.parallelism.max, 'parallelism');
  requireInteger(lengthBytes, limits.lengthBytes.min, limits.lengthBytes.max, 'lengthBytes');
  return await backend.argon2id({ password, salt, memoryKiB, passes, parallelism, lengthBytes });
}
