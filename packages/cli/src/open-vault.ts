import type { ConnectOptions, VaultClient } from '@coffer/host';
import type { KeychainPatience, SlotInfo, SlotKind, SlotSecret } from '@coffer/vault';
import type { Context } from './context.ts';
import { CliError } from './cli-error.ts';
import { askRecoveryCode } from './input/ask-recovery-code.ts';
import { askPassphrase, canAsk, keychainTimeoutMs } from './input/prompt.ts';
import { readPassphrase } from './input/read-passphrase.ts';
import { type SecretSource, chooseSecretSource } from './input/secret-source.ts';
import { escapeName } from './output/escape.ts';
import { chooseVaultDirectory } from './input/vault-directory.ts';

/**
 * The vault of a command: that of the agent, if there is one and no option and no variable gives a secret, else as `openVaultWith` says. With an agent nobody is
 * asked for a secret; one that is given has to be right all the same.
 */
export async function openVaultFor(context: Context): Promise<VaultClient> {
  const { output, globals, host } = context;
  if (chooseSecretSource(globals, host.env).kind === 'ask') {
    const agent = await findAgent(context);
    if (agent !== undefined) {
      output.detail(`asking the agent that has ${agent.directory} open`);
      return agent;
    }
  }
  return await useSecret(context, (secret) => openVaultWith(context, secret));
}

/** How often somebody may type before a wrong passphrase is the last word. */
const MAX_TRIES = 3;

/**
 * What is done with a secret. It opens the vault and says so with `accept` if there is something to do afterwards that may fail with `WRONG_KEY` for
 * another reason: until then a person who mistyped is asked again.
 */
export type SecretUse<T> = (secret: SlotSecret, accept: () => void) => Promise<T>;

/**
 * Does something with the secret that options or the environment give, else with the keychain if the vault has a slot for it, else with what the person types; and
 * forgets it.
 */
export async function useSecret<T>(context: Context, use: SecretUse<T>): Promise<T> {
  const found = await findVault(context);
  if (found.source.kind === 'ask' && hasKind(found, 'keychain')) {
    try {
      return await use({ kind: 'keychain' }, () => undefined);
    } catch (error) {
      if (!isKeychainError(error) || !canType(found) || !canAsk(context.ask)) throw error;
      context.output.warning(error.message);
    }
  }
  return await useFound(context, found, use);
}

/**
 * As `useSecret`, and never with the keychain. Nobody is asked for a passphrase before it is known that a vault is there and that a passphrase opens it.
 */
export async function useKnownSecret<T>(context: Context, use: SecretUse<T>): Promise<T> {
  return await useFound(context, await findVault(context), use);
}

async function useFound<T>(context: Context, found: FoundVault, use: SecretUse<T>): Promise<T> {
  // What comes from an option is no better the second time.
  const tries = found.source.kind === 'ask' ? MAX_TRIES : 1;
  for (let left = tries - 1; ; left -= 1) {
    const secret = await readSecret(context, found);
    const state = { isAccepted: false };
    try {
      return await use(secret, () => {
        state.isAccepted = true;
      });
    } catch (error) {
      if (left === 0 || state.isAccepted || !isWrongKey(error)) throw error;
      context.output.warning(`${error.message}; try again`);
    } finally {
      forgetSecret(secret);
    }
  }
}

function isWrongKey(error: unknown): error is Error {
  return isVaultErrorWith(error, (code) => code === 'WRONG_KEY');
}

interface FoundVault {
  readonly directory: string;
  readonly slots: readonly SlotInfo[];
  readonly source: SecretSource;
}

async function findVault(context: Context): Promise<FoundVault> {
  const { output, globals, host } = context;
  const directory = await chooseVaultDirectory(context);
  const { readVaultSlots } = await import('@coffer/vault');
  const { slots } = await readVaultSlots(directory);
  const source = chooseSecretSource(globals, host.env);
  output.detail(`opening ${directory} (${source.kind})`);
  return { directory, slots, source };
}

async function readSecret(context: Context, found: FoundVault): Promise<SlotSecret> {
  const { source, directory } = found;
  switch (source.kind) {
    case 'keyfile':
      return source;
    case 'recovery-code-file':
      return { kind: 'recovery', code: await readPassphrase(source, context.host) };
    case 'ask':
      break;
    default:
      return { kind: 'passphrase', passphrase: await readPassphrase(source, context.host) };
  }
  const name = escapeName(directory);
  if (hasKind(found, 'passphrase')) {
    const question = hasKind(found, 'recovery')
      ? `Passphrase of ${name}, or its recovery code`
      : `Passphrase of ${name}`;
    return await toTypedSecret(await askPassphrase(context.ask, question), hasKind(found, 'recovery'));
  }
  if (hasKind(found, 'recovery') && canAsk(context.ask)) {
    return { kind: 'recovery', code: await askRecoveryCode(context.ask, `Recovery code of ${name}`) };
  }
  if (!hasKind(found, 'keyfile')) {
    throw new CliError(
      'INPUT_NEEDED',
      'this vault opens with its recovery code, and nobody can be asked for it',
      {
        hint: 'give it with --recovery-code-file FILE',
      },
    );
  }
  throw new CliError('INPUT_NEEDED', 'this vault opens with a key file, not with a passphrase', {
    hint: hasKind(found, 'recovery')
      ? 'give it with --keyfile FILE or COFFER_KEYFILE, or the recovery code with --recovery-code-file FILE'
      : 'give it with --keyfile FILE or COFFER_KEYFILE',
  });
}

/** A recovery code where a passphrase was asked for is taken as what it is: 40 bits of checks say so. */
async function toTypedSecret(typed: Uint8Array, hasRecovery: boolean): Promise<SlotSecret> {
  const { parseRecoveryCode } = await import('@coffer/vault');
  try {
    if (hasRecovery) {
      parseRecoveryCode(typed).fill(0);
      return { kind: 'recovery', code: typed };
    }
  } catch {
    // Then it is a passphrase.
  }
  return { kind: 'passphrase', passphrase: typed };
}

function isKeychainError(error: unknown): error is Error {
  return isVaultErrorWith(error, (code) => code.startsWith('KEYCHAIN_'));
}

function isVaultErrorWith(error: unknown, matches: (code: string) => boolean): error is Error {
  return (
    error instanceof Error &&
    error.name === 'VaultError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    matches(error.code)
  );
}

function canType(found: FoundVault): boolean {
  return hasKind(found, 'passphrase') || hasKind(found, 'recovery');
}

function hasKind({ slots }: FoundVault, kind: SlotKind): boolean {
  return slots.some((slot) => slot.kind === kind);
}

/** The vault, if the secret opens it: that of the agent, or opened here, and then with what it warns of. */
export async function openVaultWith(context: Context, secret: SlotSecret): Promise<VaultClient> {
  const { output, signal } = context;
  const agent = await findAgent(context);
  if (agent !== undefined) return await verified(context, agent, secret);
  const directory = await chooseVaultDirectory(context);
  const [{ openVault }, { createLocalClient }] = await Promise.all([
    import('@coffer/vault'),
    import('@coffer/host'),
  ]);
  signal.throwIfAborted();
  const vault = await openVault({
    directory,
    secret,
    keychainTimeoutMs: keychainTimeoutMs(context.ask),
    signal,
  });
  for (const warning of vault.warnings) output.warning(warning);
  return createLocalClient(vault);
}

/** How long a command waits for the keychain. */
export function keychainPatience({ ask, signal }: Context): KeychainPatience {
  return { keychainTimeoutMs: keychainTimeoutMs(ask), signal };
}

/** Zeroes what a secret holds in memory. */
export function forgetSecret(secret: SlotSecret): void {
  if (secret.kind === 'passphrase') secret.passphrase.fill(0);
  if (secret.kind === 'recovery') secret.code.fill(0);
}

/** The agent that has the vault open, if there is one. */
export async function findAgent(context: Context): Promise<VaultClient | undefined> {
  const directory = await chooseVaultDirectory(context);
  const { connectToAgent } = await import('@coffer/host');
  const agent = await connectToAgent(directory, whileBusy(context));
  for (const warning of agent?.warnings ?? []) context.output.warning(warning);
  return agent;
}

/** How a command waits for an agent that is busy. */
export function whileBusy({ output, signal }: Context): ConnectOptions {
  return {
    signal,
    onBusy: (pid) => {
      output.info(`The agent (${String(pid)}) is busy with the database; this waits until it is done.`);
    },
  };
}

async function verified(context: Context, agent: VaultClient, secret: SlotSecret): Promise<VaultClient> {
  try {
    await agent.verifySecret(secret, keychainPatience(context));
    return agent;
  } catch (error) {
    await agent.close();
    throw error;
  }
}
