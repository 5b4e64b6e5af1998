import {
  FernetKey,
  FileKey,
  SEALED_FILE,
  SecretKey,
  decodeHeader,
  hkdfExpand,
  hmacSha256,
  openFernet,
  openSegment,
  sealFernet,
  sealSegment,
} from '../../packages/crypto/src/index.ts';
import { must, refusable } from './target.ts';
import type { Random, Target } from './target.ts';
import { bytesOfHex, readVectors } from './vectors.ts';

interface Vector {
  readonly fileId: string;
  readonly storageKeys: Readonly<Record<string, string>>;
  readonly header: readonly string[];
  readonly tokens: readonly string[];
}

const vectors = ['valid', 'invalid'].flatMap((name) => readVectors(`sealed-file/${name}.json`) as Vector[]);
const fileId = bytesOfHex(vectors[0]?.fileId ?? '');
const storageKey = SecretKey.fromBytes(bytesOfHex(vectors[0]?.storageKeys['1'] ?? ''));
const { HEADER_BLOCK_SIZE_BYTES: BLOCK, HEADER_SIZE_BYTES } = SEALED_FILE;

/** The bytes of a block that are not padding. */
const USED = 177;
const MAC_AT = 145;
const WRAPPED_AT = 40;

/** Both places of a header, of which an input has the beginnings; every further byte is one of the padding. */
export const header: Target = {
  name: 'header',
  covers: ['crypto/src/sealed-file/', 'crypto/src/fernet.ts', 'crypto/src/aes-cbc-hmac.ts'],
  seeds: () =>
    vectors.map(({ header: places }) => {
      const blocks = Buffer.concat(places.map((hex) => bytesOfHex(hex)));
      const padded = Buffer.alloc(HEADER_SIZE_BYTES);
      blocks.copy(padded);
      return Buffer.concat([padded.subarray(0, USED), padded.subarray(BLOCK, BLOCK + USED)]);
    }),
  maxSizeBytes: 2 * USED + 8,
  dictionary: ['COFFERSF'],
  repair: repairHeader,
  run(input) {
    const bytes = Buffer.alloc(HEADER_SIZE_BYTES);
    bytes.set(input.subarray(0, USED));
    bytes.set(input.subarray(USED, 2 * USED), BLOCK);
    bytes.set(input.subarray(2 * USED, 2 * USED + 8), BLOCK - 8);
    const opened = refusable(['INVALID_HEADER', 'UNSUPPORTED', 'UNKNOWN_KEY_EPOCH', 'WRONG_FILE'], () =>
      decodeHeader(bytes, { storageKeyOf: (epoch) => (epoch < 3 ? storageKey : undefined), fileId }),
    );
    if (opened === undefined) return;
    const { segmentSizeLog2 } = opened.header;
    must(segmentSizeLog2 >= 12 && segmentSizeLog2 <= 24, 'the size of segments is within its bounds');
    must(opened.header.fileId.join() === fileId.join(), 'a header is that of its file');
    const used = bytes.subarray(opened.place * BLOCK, opened.place * BLOCK + BLOCK);
    must(isHeaderMacRight(used, opened.fileKey), 'the MAC of a header in use is right');
    opened.fileKey[Symbol.dispose]();
  },
};

/** The MAC that belongs to what was changed, under a key that is wrapped as it should be. */
function repairHeader(input: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.alloc(Math.max(input.length, 2 * USED));
  copy.set(input);
  const key = Uint8Array.from({ length: random() < 0.9 ? 32 : 33 }, (_, index) => index);
  using wrapping = storageKey.toFernetKey();
  for (const at of random() < 0.5 ? [0] : [0, USED]) {
    const block = copy.subarray(at, at + USED);
    block.set(sealFernet(wrapping, key, { epochSeconds: random() < 0.95 ? 0 : 1 }), WRAPPED_AT);
    if (random() < 0.9) Buffer.from('COFFERSF\x01\x01', 'latin1').copy(block);
    if (random() < 0.7) block.set(fileId, 12);
    if (random() < 0.7) block.writeUInt32BE(1, 28);
    const macKey = hkdfExpand(key.subarray(0, 32), Buffer.from('coffer/header/v1'), 32);
    block.set(hmacSha256(macKey, block.subarray(0, MAC_AT)), MAC_AT);
  }
  return Uint8Array.from(copy);
}

function isHeaderMacRight(block: Uint8Array, key: FileKey): boolean {
  const macKey = hkdfExpand(key.exportBytes(), Buffer.from('coffer/header/v1'), 32);
  return Buffer.compare(hmacSha256(macKey, block.subarray(0, MAC_AT)), block.subarray(MAC_AT, USED)) === 0;
}

const fileKey = FileKey.fromBytes(Uint8Array.from({ length: 32 }, (_, index) => index + 32));
const keyBytes = fileKey.exportBytes();

/** A segment, given its place: `index u8 ‖ final u8 ‖ token`. */
export const segment: Target = {
  name: 'segment',
  covers: ['crypto/src/sealed-file/segment.ts', 'crypto/src/fernet.ts', 'crypto/src/aes-cbc-hmac.ts'],
  seeds: () =>
    [0, 1, 15, 16, 17, 4096].flatMap((size) =>
      [true, false]
        .filter((final) => final || size === 4096)
        .map((final) => {
          const token = sealSegment(fileKey, { index: 0, final, plaintext: new Uint8Array(size) });
          return Uint8Array.from([0, final ? 1 : 0, ...token]);
        }),
    ),
  maxSizeBytes: 9_000,
  repair: (input) => withTokenMac(input, 2, segmentKey(input[0] ?? 0, (input[1] ?? 0) % 2)),
  run(input) {
    const place = { index: input[0] ?? 0, final: (input[1] ?? 0) % 2 === 1 };
    const token = input.subarray(2);
    const plaintext = refusable(['INVALID_TOKEN'], () => openSegment(fileKey, { ...place, token }));
    if (plaintext === undefined) return;
    must(plaintext.length <= token.length - 57, 'a message is shorter than its token');
    must(place.final || plaintext.length >= 4096, 'a segment that is not final is full');
    must(plaintext.length > 0 || place.index === 0, 'only an empty file has an empty segment');
  },
};

const fernetKey = FernetKey.fromBytes(keyBytes);

/** A token in binary. */
export const fernet: Target = {
  name: 'fernet',
  covers: ['crypto/src/fernet.ts', 'crypto/src/aes-cbc-hmac.ts', 'crypto/src/backend/'],
  seeds: () =>
    [0, 1, 15, 16, 17, 300].map((size) =>
      sealFernet(fernetKey, new Uint8Array(size), { epochSeconds: 1000 }),
    ),
  maxSizeBytes: 2_000,
  repair: (input) => withTokenMac(input, 0, keyBytes),
  run(input) {
    for (const options of [{}, { ttlSeconds: 60, nowSeconds: 1030 }]) {
      const message = refusable(['INVALID_TOKEN'], () => openFernet(fernetKey, input, options));
      must(
        message === undefined || message.length <= input.length - 57,
        'a message is shorter than its token',
      );
    }
  },
};

function segmentKey(index: number, final: number): Uint8Array {
  const info = Buffer.alloc(26);
  info.write('coffer/segment/v1');
  info.writeBigUInt64BE(BigInt(index), 17);
  info.writeUInt8(final, 25);
  return hkdfExpand(keyBytes, info, 32);
}

/** The MAC that the token from `at` on should have; its last 32 bytes. */
function withTokenMac(input: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  if (input.length < at + 32) return input;
  const copy = Uint8Array.from(input);
  const end = copy.length - 32;
  copy.set(hmacSha256(key.subarray(0, 16), copy.subarray(at, end)), end);
  return copy;
}
