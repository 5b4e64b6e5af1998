import { sha256 } from '../../packages/crypto/src/index.ts';
import { encodeKeyfile, parseKeyfile } from '../../packages/vault/src/keyfile.ts';
import { normalizePassphrase } from '../../packages/vault/src/passphrase.ts';
import { createRecoveryCode, parseRecoveryCode } from '../../packages/vault/src/recovery-code.ts';
import { isSame, must, refusable } from './target.ts';
import type { Target } from './target.ts';
import { bytesOfHex, readVectors } from './vectors.ts';

const { keyfiles } = readVectors('vault-file/keyfiles.json') as { keyfiles: { text: string }[] };
const { passphrases } = readVectors('vault-file/passphrases.json') as { passphrases: { inputHex: string }[] };

export const keyfile: Target = {
  name: 'keyfile',
  covers: ['vault/src/keyfile.ts'],
  seeds: () => keyfiles.map(({ text }) => Uint8Array.from(Buffer.from(text, 'latin1'))),
  maxSizeBytes: 5_000,
  dictionary: ['coffer-keyfile-v1:', 'coffer-keyfile-v2:', '# ', '\r\n', '\ufeff', '\t', ' '],
  repair: withKeyfileChecksum,
  run(input) {
    const key = refusable(['INVALID_INPUT', 'DAMAGED', 'TOO_NEW'], () => parseKeyfile(input, 'key'));
    if (key === undefined) return;
    must(key.length === 32, 'a key has 32 bytes');
    must(
      isSame(parseKeyfile(encodeKeyfile(key), 'key'), key),
      'a key that was read is read again when written',
    );
  },
};

function withKeyfileChecksum(input: Uint8Array): Uint8Array {
  const text = Buffer.from(input).toString('latin1');
  const fixed = text.replace(/([0-9a-f]{64}):[0-9a-f]{16}/, (_, hex: string) => {
    const digest = sha256(Buffer.concat([Buffer.from('coffer/keyfile/v1'), Buffer.from(hex, 'hex')]));
    return `${hex}:${Buffer.from(digest.subarray(0, 8)).toString('hex')}`;
  });
  return Uint8Array.from(Buffer.from(fixed, 'latin1'));
}

export const passphrase: Target = {
  name: 'passphrase',
  covers: ['vault/src/passphrase.ts'],
  seeds: () => passphrases.map(({ inputHex }) => bytesOfHex(inputHex)),
  maxSizeBytes: 17_000,
  dictionary: ['\ufeff', '\r\n', '\u0000', '\u0308', 'ﬁ', '\u{1f600}', '\ud7a3', 'ệ'],
  run(input) {
    const normal = refusable(['INVALID_INPUT'], () => normalizePassphrase(input));
    if (normal === undefined) return;
    must(normal.length > 0 && normal.length <= 4_096, 'a passphrase is within its bounds');
    const text = Buffer.from(normal).toString('utf8');
    must(text === text.normalize('NFC'), 'a passphrase is in its normal form');
  },
};

const codes = [0, 1, 77, 255].map((start) =>
  createRecoveryCode(Uint8Array.from({ length: 20 }, (_, index) => (start + index * 13) & 255)),
);

export const recoveryCode: Target = {
  name: 'recovery-code',
  covers: ['vault/src/recovery-code.ts'],
  seeds: () => codes,
  maxSizeBytes: 5_000,
  dictionary: ['# ', '\n', '-', ' ', 'O', 'I', 'L', 'U', '\u2013', '\u00a0', 'o'],
  run(input) {
    const secret = refusable(['INVALID_INPUT'], () => parseRecoveryCode(Uint8Array.from(input)));
    if (secret === undefined) return;
    must(secret.length === 20, 'a code has 20 bytes');
    must(
      isSame(parseRecoveryCode(createRecoveryCode(secret)), secret),
      'a code that was read is read again when written',
    );
  },
};
