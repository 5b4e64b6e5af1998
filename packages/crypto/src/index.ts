export { CryptoError } from './errors.ts';
export type { CryptoErrorCode } from './errors.ts';

export { randomBytes } from './random-bytes.ts';
export { copyBytes } from './copy-bytes.ts';
export { constantTimeEqual } from './constant-time.ts';
export { bytesToHex, hexToBytes } from './hex.ts';
export { base64UrlToBytes, bytesToBase64Url } from './base64url.ts';

export { createSha256, sha256 } from './sha256.ts';
export type { Sha256 } from './sha256.ts';
export { hmacSha256 } from './hmac.ts';
export { hkdfExpand, hkdfExtract, hkdfSha256 } from './hkdf.ts';
export { ARGON2ID_LIMITS, argon2id } from './argon2id.ts';
export type { Argon2idLimit, Argon2idParameters } from './argon2id.ts';
export { decryptAes128CbcHmac, encryptAes128CbcHmac } from './aes-cbc-hmac.ts';
export type { KeyHalves } from './aes-cbc-hmac.ts';

export { SecretKey } from './secret-key.ts';
export { FernetKey } from './fernet-key.ts';
export { decryptFernet, encryptFernet, openFernet, sealFernet } from './fernet.ts';
export type { OpenFernetOptions, SealFernetOptions } from './fernet.ts';
export { decryptFernetStream } from './fernet-stream.ts';
export { MultiFernet } from './multi-fernet.ts';

export { SEALED_FILE } from './sealed-file/format.ts';
export { FileKey } from './sealed-file/file-key.ts';
export { encodeHeaderBlock } from './sealed-file/header-block.ts';
export type { EncodeHeaderOptions, SealedHeader } from './sealed-file/header-block.ts';
export { decodeHeader, encodeHeader } from './sealed-file/header.ts';
export type { DecodeHeaderOptions, DecodedHeader } from './sealed-file/header.ts';
export {
  sealedFileShape,
  sealedFileSize,
  sealedSegmentSize,
  segmentCount,
  segmentOffset,
  segmentPlainSize,
} from './sealed-file/layout.ts';
export type { SealedFileShape } from './sealed-file/layout.ts';
export { openSegment, openSegmentInto, sealSegment, sealSegmentInto } from './sealed-file/segment.ts';
export type { OpenSegmentInput, SealSegmentInput, SegmentPlace } from './sealed-file/segment.ts';
export { openFile, sealFile } from './sealed-file/whole-file.ts';
