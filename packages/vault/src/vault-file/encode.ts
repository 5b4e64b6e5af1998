import { bytesToHex, constantTimeEqual, hmacSha256, sha256 } from '@coffer/crypto';
import type { SecretKey } from '@coffer/crypto';
import type { Slot } from '../slots/slot.ts';
import type { ParsedVaultFile, PreviousRootKey, VaultFileContent } from './content.ts';

const MAC_LABEL = 'coffer/slots/v1';

/**
 * The one byte form of a file: JSON with members in a fixed order, indented by two spaces, then the MAC over all before it, then a
 * SHA-256 over all before that, each a member on a line of its own (docs/spec/vault-file.md).
 */
export function encodeVaultFile(content: VaultFileContent, rootKey: SecretKey): Uint8Array {
  const body = encodeBody(content);
  const signed = Buffer.concat([body, memberLine('mac', computeMac(rootKey, body))]);
  return new Uint8Array(
    Buffer.concat([signed, memberLine('checksum', sha256(signed)), Buffer.from('\n}\n')]),
  );
}

/** What the MAC covers. */
export function encodeBody(content: VaultFileContent): Uint8Array {
  const { format, formatVersion, vaultId, generation, keyEpoch, slots, previous } = content;
  const ordered = {
    format,
    formatVersion,
    vaultId,
    generation,
    ...(keyEpoch === undefined ? {} : { keyEpoch }),
    slots: slots.map(orderMembers),
    ...(previous === undefined ? {} : { previous: orderPrevious(previous) }),
  };
  const text = JSON.stringify(ordered, null, 2);
  return new TextEncoder().encode(text.slice(0, -'\n}'.length));
}

/** `,\n  "mac": "…"` */
export function memberLine(name: string, value: Uint8Array): Uint8Array {
  return new TextEncoder().encode(`,\n  "${name}": "${bytesToHex(value)}"`);
}

/** Whether this file was written by someone who has the root key. */
export function isAuthentic(file: ParsedVaultFile, rootKey: SecretKey): boolean {
  return constantTimeEqual(file.mac, computeMac(rootKey, file.body));
}

/** A slot with its members in the order of the file. */
function orderMembers(slot: Slot): object {
  const { id, kind, createdAtMs, label, wrappedKey } = slot;
  const head = { id, kind, createdAtMs, ...(label === undefined ? {} : { label }) };
  if (slot.kind !== 'passphrase') return { ...head, hkdf: { salt: slot.hkdf.salt }, wrappedKey };
  const { memoryKiB, passes, parallelism, salt } = slot.argon2id;
  return { ...head, argon2id: { memoryKiB, passes, parallelism, salt }, wrappedKey };
}

function orderPrevious({ wrappedKey, reseal }: PreviousRootKey): object {
  return { wrappedKey, ...(reseal === undefined ? {} : { reseal }) };
}

function computeMac(rootKey: SecretKey, body: Uint8Array): Uint8Array {
  using macKey = rootKey.derive(MAC_LABEL);
  const keyBytes = macKey.exportBytes();
  try {
    return hmacSha256(keyBytes, body);
  } finally {
    keyBytes.fill(0);
  }
}
