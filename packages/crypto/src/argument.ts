import { CryptoError } from './errors.ts';

/** A whole number within bounds, both inclusive. @throws CryptoError INVALID_ARGUMENT */
export function requireInteger(value: number, min: number, max: number, name: string): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new CryptoError(
    'INVALID_ARGUMENT',
    `${name} must be a whole number from ${String(min)} to ${String(max)}`,
  );
}

/** Bytes of a length within bounds, both inclusive. @throws CryptoError INVALID_ARGUMENT */
export function requireBytes(bytes: Uint8Array, min: number, max: number, name: string): void {
  if (bytes instanceof Uint8Array && bytes.length >= min && bytes.length <= max) return;
  const length = min === max ? String(min) : `${String(min)} to ${String(max)}`;
  throw new CryptoError('INVALID_ARGUMENT', `${name} must be a Uint8Array of ${length} bytes`);
}
