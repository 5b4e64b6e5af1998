import { constantTimeEqual } from '@coffer/crypto';
import { createDurableFile } from './durable-file.ts';
import { VaultError, errnoToVaultError } from './errors.ts';
import { isInside } from './is-inside.ts';
import { readBoundedFile } from './read-bounded-file.ts';
import { parseRecoveryCode } from './recovery-code.ts';

const MAX_SIZE_BYTES = 4096;

export interface RecoveryCodeFileOptions {
  /** The folder of the vault, which the file must not be put into. */
  readonly outside: string;
  /** Named in the file, to know later what it belongs to. */
  readonly vaultId: string;
}

/**
 * Writes a recovery code to a new file, with what it is for in words, mode 0600, durable, and proves it by reading it back. Never overwrites.
 *
 * @throws VaultError EXISTS, INVALID_INPUT (inside `outside`), NOT_FOUND (no such folder), NO_SPACE, NOT_PERMITTED, FAILED
 */
export async function createRecoveryCodeFile(
  path: string,
  code: Uint8Array,
  { outside, vaultId }: RecoveryCodeFileOptions,
): Promise<void> {
  if (await isInside(path, outside)) {
    throw new VaultError(
      'INVALID_INPUT',
      `the recovery code ${path} would be inside the folder of the vault`,
      {
        hint: 'keep it elsewhere, best on paper: whoever gets the folder would have the code with it',
      },
    );
  }
  const text = `# Coffer recovery code of the vault ${vaultId}. It opens the vault without a passphrase.
# Print it or write it down, keep it where the vault is not, and delete this file.

`;
  const bytes = Buffer.concat([Buffer.from(text), code, Buffer.from('\n')]);
  try {
    await createDurableFile(path, bytes);
    await proveFile(path, code);
  } finally {
    bytes.fill(0);
  }
}

async function proveFile(path: string, code: Uint8Array): Promise<void> {
  const { bytes } = await readBoundedFile(path, MAX_SIZE_BYTES).catch((error: unknown) => {
    throw errnoToVaultError(error, `cannot read ${path} again`);
  });
  const [written, wanted] = [parseRecoveryCode(bytes), parseRecoveryCode(code)];
  const isProven = constantTimeEqual(written, wanted);
  for (const secret of [bytes, written, wanted]) secret.fill(0);
  if (!isProven) throw new VaultError('FAILED', `${path} did not come back from the disk as written`);
}
