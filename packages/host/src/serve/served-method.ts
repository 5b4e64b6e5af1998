import type { Vault } from '@coffer/vault';
import { callMethod } from '../local-client.ts';
import { METHODS } from '../methods.ts';
import type { Method } from '../methods.ts';

/** What a request may name: the row that says what it takes, and what it does. */
export interface ServedMethod {
  readonly method: Method;
  /** Called with arguments that fit the row. */
  readonly invoke: (args: readonly unknown[]) => unknown;
}

export type ServedMethods = ReadonlyMap<string, ServedMethod>;

/** Every method of a vault, as the table has them. */
export function servedMethodsOf(vault: Vault): ServedMethods {
  return new Map(
    Object.entries<Method>(METHODS).map(([name, method]) => [
      name,
      { method, invoke: (args: readonly unknown[]) => callMethod(vault, name, args) },
    ]),
  );
}
