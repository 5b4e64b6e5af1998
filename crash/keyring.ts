import { TestKeyring, missingForKeyring } from '../packages/vault/test/keychain/test-keyring.ts';
import type { Operation } from './operations/operation.ts';
import type { Stage } from './stage.ts';

/** Why there are no operations with a keychain here; `undefined` when there are. */
export const whyNoKeychain: string | undefined =
  missingForKeyring.length === 0 ? undefined : `no ${missingForKeyring.join(', ')}`;

/** The keychain that a process of an operation has while it runs: what to find it by, in the environment. */
interface Keychain extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/**
 * For an operation that uses a keychain, one of this stage's own, which holds what earlier processes on the same stage have put into it; nothing for all others.
 * Each process has a new one, because a gnome-keyring may crash a while after a client of its was killed.
 */
export async function keychainFor({ usesKeychain }: Operation, stage: Stage): Promise<Keychain> {
  if (usesKeychain === true)
    return await TestKeyring.start({ isApart: true, data: `${stage.disk}.keychain` });
  return { env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** What the bus says of a keyring that has crashed by itself, which gnome-keyring 42.1 does in one of thousands of calls. Nothing that is examined here can bring it about. */
const HAS_CRASHED = 'disconnected from message bus';
const TRIES = 3;

/** Does something again when the keyring crashed meanwhile, as `problemOf` its result says, and for no other reason. */
export async function despiteKeyringCrashes<T>(
  work: () => Promise<T>,
  problemOf: (result: T) => string | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await work();
    if (attempt === TRIES || !(problemOf(result) ?? '').includes(HAS_CRASHED)) return result;
  }
}
