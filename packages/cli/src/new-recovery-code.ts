import { rm } from 'node:fs/promises';
import { usageError } from './cli-error.ts';
import type { Context } from './context.ts';
import { showRecoveryCode } from './input/ask-recovery-code.ts';
import { refuseDash } from './input/refuse-dash.ts';
import { escapeName } from './output/escape.ts';

/** A new recovery code that somebody has: on paper, or in a file. Disposal zeroes it. */
export interface NewRecoveryCode extends Disposable {
  readonly code: Uint8Array;
  /** Removes the file that was written for it, when no vault opens with it in the end. */
  discard(): Promise<void>;
}

/** Where a new recovery code goes. */
export interface RecoveryCodePlace {
  /** The file to write it to; it is shown on the terminal when not given. */
  readonly path: string | undefined;
  /** How the option for that is called. */
  readonly option: string;
  readonly directory: string;
  readonly vaultId: string;
}

/** Refuses, before anything is asked, to show a code to a program: with --json there is nobody to write it down. */
export function checkRecoveryCodePlace(context: Context, { path, option }: RecoveryCodePlace): void {
  refuseDash(path, 'a recovery code', `without ${option} it is shown on the terminal`);
  if (path !== undefined || !context.output.json) return;
  throw usageError('a recovery code is never written as --json', `write it to a file with ${option} FILE`);
}

/** Makes a recovery code and makes sure that somebody has it: it has been typed back, or read back from its file. */
export async function makeRecoveryCode(context: Context, place: RecoveryCodePlace): Promise<NewRecoveryCode> {
  checkRecoveryCodePlace(context, place);
  const { createRecoveryCode, createRecoveryCodeFile } = await import('@coffer/vault');
  const code = createRecoveryCode();
  const { path, directory, vaultId } = place;
  try {
    if (path === undefined) {
      await showRecoveryCode(context.ask, code, place.option);
    } else {
      await createRecoveryCodeFile(path, code, { outside: directory, vaultId });
      context.output.info(
        `Wrote a recovery code to ${escapeName(path)}. Print it, and keep it where the vault is not: whoever has it opens the vault.`,
      );
    }
  } catch (error) {
    code.fill(0);
    throw error;
  }
  return {
    code,
    discard: async () => {
      if (path !== undefined) await rm(path, { force: true });
    },
    [Symbol.dispose]: () => {
      code.fill(0);
    },
  };
}
