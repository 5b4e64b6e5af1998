import type { Vault } from '@coffer/vault';
import { thisProcess } from './caller.ts';
import type { Caller } from './caller.ts';
import { METHODS } from './methods.ts';
import type { Method } from './methods.ts';
import type { VaultClient } from './vault-client.ts';

/** The client of a vault that is open in this process: arguments, results and bytes are passed on as they are. */
export function createLocalClient(vault: Vault, caller: Caller = thisProcess()): VaultClient {
  const methods = Object.entries<Method>(METHODS).map(([name, method]) => {
    const ask = (...args: readonly unknown[]): unknown =>
      callMethod(vault, name, method.fromCaller?.(args, caller) ?? args);
    // `async`, so that what a method throws at once is a rejection, as it would be from elsewhere.
    const askOnce = async (...args: readonly unknown[]): Promise<unknown> => await ask(...args);
    return [name, method.kind === 'call' ? askOnce : ask];
  });
  // The table is complete and its kinds are those of the types: see methods.ts.
  return {
    ...(Object.fromEntries(methods) as Omit<VaultClient, keyof AsyncDisposable>),
    directory: vault.directory,
    vaultId: vault.vaultId,
    warnings: vault.warnings,
    agentState: () => Promise.resolve(undefined),
    close: () => vault.close(),
    [Symbol.asyncDispose]: () => vault.close(),
  };
}

/** Calls a method that is in the table with arguments that fit it. */
export function callMethod(vault: Vault, name: string, args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(vault, name);
  if (typeof method !== 'function') throw new TypeError(`a vault has no method ${name}`);
  return Reflect.apply(method, vault, args);
}
