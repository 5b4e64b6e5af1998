import { backend } from '#backend';

/** RFC 2104 over SHA-256, with a key of any length. 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return backend.hmacSha256(key, data);
}
