import { TestKeyring, missingForKeyring } from '../packages/vault/test/keychain/test-keyring.ts';
import type { Operation } from './operations/operation.ts';

/** Why there are no operations with a keychain here; `undefined` when there are. */
export const whyNoKeychain: string | undefined =
  missingForKeyring.length === 0 ? undefined : `no ${missingForKeyring.join(', ')}`;

let keyring: Promise<TestKeyring> | undefined;

/** What the processes of an operation that uses a keychain find it by: one for the whole run, on a bus of its own. Nothing for all others. */
export async function keychainEnvironment({
  usesKeychain,
}: Operation): Promise<Readonly<Record<string, string>>> {
  if (usesKeychain !== true) return {};
  keyring ??= TestKeyring.start({ isApart: true });
  return (await keyring).env;
}

/** Ends the keychain and its bus, if there was need of one. */
export async function stopKeychain(): Promise<void> {
  await (await keyring)?.[Symbol.asyncDispose]();
  keyring = undefined;
}
