import type { Caller } from '../caller.ts';
import { METHODS } from '../methods.ts';
import type { Method } from '../methods.ts';
import type { VaultClient } from '../vault-client.ts';
import type { OwnerHello } from '../wire/hello.ts';
import type { Connection } from './connection.ts';
import type { RequestOptions } from './open-request.ts';

/** The client of a vault that another process has open. Closing it closes the connection. */
export function createRemoteClient(
  connection: Connection,
  hello: OwnerHello,
  caller: Caller,
): Omit<VaultClient, 'agentState'> {
  const methods = Object.entries<Method>(METHODS).map(([name, method]) => {
    const open = (args: readonly unknown[]): ReturnType<Connection['open']> => {
      const { sent, options } = toSent(method, method.fromCaller?.(args, caller) ?? args);
      return connection.open(name, sent, options);
    };
    const ask = async (...args: readonly unknown[]): Promise<unknown> => await open(args).result;
    async function* askForAll(...args: readonly unknown[]): AsyncGenerator<unknown, void, undefined> {
      yield* open(args).items();
    }
    return [name, method.kind === 'call' ? ask : askForAll];
  });
  const close = (): Promise<void> => {
    connection.close();
    return Promise.resolve();
  };
  // The table is complete and its kinds are those of the types: see methods.ts.
  return {
    ...(Object.fromEntries(methods) as Omit<VaultClient, keyof AsyncDisposable>),
    directory: hello.directory,
    vaultId: hello.vaultId,
    warnings: hello.warnings,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Takes out of the arguments what does not travel with them. */
function toSent(
  method: Method,
  args: readonly unknown[],
): { readonly sent: readonly unknown[]; readonly options: RequestOptions } {
  const sent: unknown[] = [...args];
  let options: RequestOptions = {};
  if (method.options !== undefined && isOptions(sent[method.options])) {
    const { signal, onProgress, ...rest } = sent[method.options] as RequestOptions;
    sent[method.options] = rest;
    options = { signal, onProgress, isTransient: 'transient' in rest && rest.transient === true };
  }
  if (method.upload !== undefined) {
    options = { ...options, upload: sent[method.upload] as AsyncIterable<Uint8Array> };
    sent[method.upload] = null;
  }
  while (sent.length > 0 && sent.at(-1) === undefined) sent.pop();
  return { sent, options };
}

function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
