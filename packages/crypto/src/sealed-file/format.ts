/** The numbers of docs/spec/sealed-file.md. */
export const SEALED_FILE = {
  FORMAT_VERSION: 1,
  /** Fernet segments: AES-128-CBC, HMAC-SHA-256, HKDF-SHA-256. */
  SUITE: 1,
  HEADER_BLOCK_SIZE_BYTES: 4096,
  /** Two blocks. */
  HEADER_SIZE_BYTES: 8192,
  FILE_ID_SIZE_BYTES: 16,
  /** 256 KiB of plaintext, for new files. */
  SEGMENT_SIZE_LOG2: 18,
  MIN_SEGMENT_SIZE_LOG2: 12,
  MAX_SEGMENT_SIZE_LOG2: 24,
  /** What a full segment is longer than its plaintext. */
  SEGMENT_OVERHEAD_BYTES: 73,
  /** Of plaintext: 2^44, 16 TiB. */
  MAX_FILE_SIZE_BYTES: 17_592_186_044_416,
  /** 2^32 - 1 */
  MAX_KEY_EPOCH: 4_294_967_295,
  /** 2^64 - 1 */
  MAX_SEQUENCE: 18_446_744_073_709_551_615n,
} as const;
