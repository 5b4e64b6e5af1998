import {
  base64UrlToBytes,
  bytesToBase64Url,
  openFernet,
  randomBytes,
  sealFernet,
  SecretKey,
} from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import type { VaultFileContent } from './content.ts';

const LABEL = 'coffer/previous/v1';
const IV_SIZE_BYTES = 16;
const ROOT_KEY_SIZE_BYTES = 32;

/**
 * The root key before, wrapped under the one that takes its place: a Fernet token, time 0, under HKDF(root key, "coffer/previous/v1"), in
 * base64url.
 */
export function wrapPrevious(
  previous: SecretKey,
  root: SecretKey,
  iv: Uint8Array = randomBytes(IV_SIZE_BYTES),
): string {
  using wrappingKey = root.derive(LABEL);
  using key = wrappingKey.toFernetKey();
  const bytes = previous.exportBytes();
  try {
    return bytesToBase64Url(sealFernet(key, bytes, { iv, epochSeconds: 0 }));
  } finally {
    bytes.fill(0);
  }
}

/**
 * The root key before, while a rotation is not finished. The caller disposes of it. `content` has been authenticated.
 *
 * @throws VaultError DAMAGED when it does not open, which nothing that Coffer writes does
 */
export function openPrevious(content: VaultFileContent, root: SecretKey): SecretKey | undefined {
  if (content.previous === undefined) return undefined;
  using wrappingKey = root.derive(LABEL);
  using key = wrappingKey.toFernetKey();
  let bytes;
  try {
    bytes = openFernet(key, base64UrlToBytes(content.previous.wrappedKey));
  } catch (error) {
    throw new VaultError('DAMAGED', 'the previous root key in vault.json does not open', { cause: error });
  }
  try {
    if (bytes.length === ROOT_KEY_SIZE_BYTES) return SecretKey.fromBytes(bytes);
    throw new VaultError('DAMAGED', 'the previous root key in vault.json is not a root key');
  } finally {
    bytes.fill(0);
  }
}
