import type { Vault } from '@coffer/vault';
import type { AgentState } from './agent/agent-methods.ts';
import type { MethodName } from './methods.ts';

/** A method as it is asked for from elsewhere: what returns at once returns a promise. */
type Asked<M> = M extends (...args: infer A) => infer R
  ? R extends AsyncGenerator<infer Item, void, undefined>
    ? (...args: A) => AsyncGenerator<Item, void, undefined>
    : (...args: A) => Promise<Awaited<R>>
  : never;

/**
 * A vault that is open here or in another process: the same methods, with the same errors, wherever it is. Ends with `close`, which closes the vault if it
 * was opened here, and only the connection otherwise.
 */
export type VaultClient = AsyncDisposable & {
  readonly [Name in MethodName]: Asked<Vault[Name]>;
} & {
  readonly directory: string;
  /** 32 hex digits. */
  readonly vaultId: string;
  /** What was noticed while opening and this client should say. */
  readonly warnings: readonly string[];
  /** How the agent is that has it open; `undefined` when it is open here. */
  agentState(): Promise<AgentState | undefined>;
  close(): Promise<void>;
};
