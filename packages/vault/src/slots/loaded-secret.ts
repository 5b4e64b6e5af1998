import { readKeyfile } from '../keyfile.ts';
import { normalizePassphrase } from '../passphrase.ts';
import type { SlotKind, SlotSecret } from './slot.ts';

/** The bytes of a secret: of a passphrase in normal form, or of a keyfile. Disposal zeroes them. */
export class LoadedSecret implements Disposable {
  readonly kind: SlotKind;
  readonly warnings: readonly string[];
  readonly #bytes: Uint8Array;

  constructor(kind: SlotKind, bytes: Uint8Array, warnings: readonly string[] = []) {
    this.kind = kind;
    this.warnings = warnings;
    this.#bytes = bytes;
  }

  /** Not a copy: for deriving a slot's key, then and there. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  [Symbol.dispose](): void {
    this.#bytes.fill(0);
  }
}

/**
 * Reads a secret. What was passed in stays as it is.
 *
 * @throws VaultError as `normalizePassphrase` and `readKeyfile` do
 */
export async function loadSecret(secret: SlotSecret): Promise<LoadedSecret> {
  if (secret.kind === 'passphrase') {
    return new LoadedSecret('passphrase', normalizePassphrase(secret.passphrase));
  }
  const { key, warnings } = await readKeyfile(secret.path);
  return new LoadedSecret('keyfile', key, warnings);
}
