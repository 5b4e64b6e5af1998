import { SecretKey, bytesToHex, hmacSha256, sha256 } from '../../packages/crypto/src/index.ts';
import { encodeBody, isAuthentic } from '../../packages/vault/src/vault-file/encode.ts';
import { parseVaultFile } from '../../packages/vault/src/vault-file/parse.ts';
import { isSame, must, refusable } from './target.ts';
import type { Random, Target } from './target.ts';
import { bytesOfHex, readVectors } from './vectors.ts';

interface Vectors {
  readonly rootKeyHex: string;
  readonly valid: readonly { readonly fileBase64: string }[];
}

const { rootKeyHex, valid } = readVectors('vault-file/vault-files.json') as Vectors;
const rootKey = SecretKey.fromBytes(bytesOfHex(rootKeyHex));
const macKey = rootKey.derive('coffer/slots/v1').exportBytes();

/** `vault.json`, before and behind its checksum. */
export const vaultFile: Target = {
  name: 'vault-file',
  covers: ['vault/src/vault-file/', 'vault/src/slots/'],
  seeds: () => valid.map(({ fileBase64 }) => Uint8Array.from(Buffer.from(fileBase64, 'base64'))),
  maxSizeBytes: 66_000,
  dictionary: [
    ...[
      '"passphrase"',
      '"keyfile"',
      '"keychain"',
      '"recovery"',
      '"hkdf"',
      '"argon2id"',
      '"label"',
      '"previous"',
    ],
    ...[
      '"format"',
      '"formatVersion": 2',
      '"generation"',
      '"slots"',
      '"mac"',
      '"checksum"',
      '"__proto__"',
      '"keyEpoch"',
      '"reseal"',
    ],
    ...['null', 'true', '[]', '{}', '\\u0000', '\\ud800', '\u202e', ',\n  ', '  ', '1e2', '-0', '1.0'],
  ],
  repair,
  run(input) {
    const parsed = refusable(['DAMAGED', 'TOO_NEW'], () => parseVaultFile(input, 'vault.json'));
    if (parsed === undefined) return;
    must(isSame(parsed.bytes, input), 'a file is what was read');
    must(isSame(parsed.body, encodeBody(parsed.content)), 'a content has one form only');
    must(input.length <= 65_536, 'a file is within its bound');
    must(typeof isAuthentic(parsed, rootKey) === 'boolean', 'a file is authentic or not');
  },
};

/** The right checksum, and mostly the right MAC, for whatever the members before them are. */
function repair(input: Uint8Array, random: Random): Uint8Array {
  const text = Buffer.from(input).toString('latin1');
  const macAt = text.lastIndexOf(',\n  "mac"');
  const checksumAt = text.lastIndexOf(',\n  "checksum"');
  if (checksumAt < 0) return input;
  const body = Buffer.from(text.slice(0, macAt < 0 ? checksumAt : macAt), 'latin1');
  const signed =
    random() < 0.8
      ? Buffer.concat([body, Buffer.from(`,\n  "mac": "${bytesToHex(hmacSha256(macKey, body))}"`)])
      : Buffer.from(text.slice(0, checksumAt), 'latin1');
  return Uint8Array.from(
    Buffer.concat([signed, Buffer.from(`,\n  "checksum": "${bytesToHex(sha256(signed))}"\n}\n`)]),
  );
}
