/**
 * - `INVALID_TOKEN`: not authentic, for whatever reason (see `invalidToken`)
 * - `INVALID_KEY`: not a key: wrong length or encoding
 * - `INVALID_ARGUMENT`: a value out of its documented bounds
 * - `DISPOSED`: a key, or a hash, that is used after its end
 * - `INVALID_HEADER`: a sealed file whose header is damaged, or made under another storage key
 * - `UNSUPPORTED`: a sealed file of a format version or suite that this code does not know
 * - `UNKNOWN_KEY_EPOCH`: a sealed file under a storage key that the caller does not have
 * - `WRONG_FILE`: an authentic header, but of another file than the expected one
 */
export type CryptoErrorCode =
  | 'INVALID_TOKEN'
  | 'INVALID_KEY'
  | 'INVALID_ARGUMENT'
  | 'DISPOSED'
  | 'UNSUPPORTED'
  | 'INVALID_HEADER'
  | 'WRONG_FILE'
  | 'UNKNOWN_KEY_EPOCH';

/** The only error that this package throws. Its message never holds a secret. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The one way in which decryption fails. Length, version, MAC, time and padding are not told apart, neither here nor by a
 * `cause`: whoever can tell them apart has an oracle.
 */
export function invalidToken(): CryptoError {
  return new CryptoError(
    'INVALID_TOKEN',
    'the token is not authentic: it was made with another key, has been changed, or has expired',
  );
}

export function isInvalidToken(error: unknown): error is CryptoError {
  return error instanceof CryptoError && error.code === 'INVALID_TOKEN';
}
