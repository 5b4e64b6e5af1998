import { hexToBytes, sha256 } from '@coffer/crypto';
import * as v from 'valibot';
import { VaultError } from '../errors.ts';
import { contentSchema, FORMAT, FORMAT_VERSION, MAX_FILE_SIZE_BYTES } from './content.ts';
import type { ParsedVaultFile } from './content.ts';
import { encodeBody } from './encode.ts';

// The end of every version of the format: a SHA-256 over all before it, so that damage is never mistaken for a newer version.
const CHECKSUM_MEMBER = /,\n {2}"checksum": "([0-9a-f]{64})"\n\}\n$/;
const MAC_MEMBER = /,\n {2}"mac": "([0-9a-f]{64})"$/;

/**
 * Parses `vault.json`: size, checksum, version, schema, and that it is byte for byte what Coffer writes for this content. `path` is
 * for messages.
 *
 * @throws VaultError DAMAGED, TOO_NEW
 */
export function parseVaultFile(bytes: Uint8Array, path: string): ParsedVaultFile {
  if (bytes.length > MAX_FILE_SIZE_BYTES) throw damaged(path, 'it is too large');
  const text = decode(bytes, path);
  const checksumAt = checkChecksum(text, bytes, path);
  const value = parseJson(text, path);
  refuseNewer(value, path);
  const macMember = MAC_MEMBER.exec(text.slice(0, checksumAt));
  if (macMember?.[1] === undefined) throw damaged(path, 'it has no MAC');
  // Both were taken from the text; what is left is what the MAC covers.
  delete value['mac'];
  delete value['checksum'];
  const parsed = v.safeParse(contentSchema, value, { abortEarly: true });
  if (!parsed.success) throw damaged(path, describe(parsed.issues[0]));
  const body = encodeBody(parsed.output);
  // The MAC's member and all after it is ASCII too.
  const found = bytes.subarray(0, bytes.length - (text.length - macMember.index));
  // One content has one form: nothing in the file escapes the MAC, and no two readers can read it differently.
  if (Buffer.compare(body, found) !== 0) {
    throw damaged(path, 'it is not in the form that Coffer writes');
  }
  return { content: parsed.output, bytes, body, mac: hexToBytes(macMember[1]) };
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw damaged(path, 'it is not UTF-8', error);
  }
}

/** Where in the text the checksum's member begins. */
function checkChecksum(text: string, bytes: Uint8Array, path: string): number {
  const member = CHECKSUM_MEMBER.exec(text);
  if (member?.[1] === undefined) throw damaged(path, 'it is cut off or not a file of Coffer');
  // The member is ASCII, so that its length in bytes is its length in characters.
  const covered = bytes.subarray(0, bytes.length - member[0].length);
  if (Buffer.compare(sha256(covered), hexToBytes(member[1])) !== 0)
    throw damaged(path, 'its checksum is wrong');
  return member.index;
}

function parseJson(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the cause, which quotes the file.
    throw damaged(path, 'it is not JSON');
  }
  if (!isRecord(value)) throw damaged(path, 'it is not a JSON object');
  return value;
}

function refuseNewer(value: Record<string, unknown>, path: string): void {
  if (value['format'] !== FORMAT) throw damaged(path, 'it is not a vault file of Coffer');
  const version = value['formatVersion'];
  if (!Number.isSafeInteger(version) || Number(version) <= FORMAT_VERSION) return;
  throw new VaultError(
    'TOO_NEW',
    `${path} has format version ${String(version)}, which this version cannot read`,
    {
      hint: 'install a newer version of Coffer',
    },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where in the file the schema is broken, and never what was found there: a name that is not one of ours is not shown either. */
function describe(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue);
  return where !== null && /^[A-Za-z0-9.]{1,64}$/.test(where)
    ? `its "${where}" is not valid`
    : 'its content is not valid';
}

function damaged(path: string, what: string, cause?: unknown): VaultError {
  return new VaultError('DAMAGED', `${path} is damaged: ${what}`, {
    hint: 'put back a copy of it from a backup of the vault',
    ...(cause === undefined ? {} : { cause }),
  });
}
