/**
 * - `INVALID`: not a value of its type.
 * - `TOO_LARGE`: it would be one, but beyond a limit of this package.
 * - `ILLEGAL_TRANSITION`: the state does not allow the next one.
 */
export type TransferModelErrorCode = 'INVALID' | 'TOO_LARGE' | 'ILLEGAL_TRANSITION';

export class TransferModelError extends Error {
  override readonly name = 'TransferModelError';
  readonly code: TransferModelErrorCode;

  constructor(code: TransferModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
