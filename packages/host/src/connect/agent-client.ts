import process from 'node:process';
import type { AgentState } from '../agent/agent-methods.ts';
import type { Limits } from '../agent/limits.ts';
import { parseState } from '../agent/start-message.ts';
import { thisProcessElsewhere } from '../caller.ts';
import type { VaultClient } from '../vault-client.ts';
import { connectToOwner, greetOwner } from './connect-to-owner.ts';
import type { ConnectOptions } from './connect-to-owner.ts';
import { createRemoteClient } from './remote-client.ts';
import { endStoppedOwner } from './stopped-owner.ts';

/** The client of a vault that an agent has open. */
export type AgentClient = VaultClient & {
  /** Lets the agent's time begin anew. */
  renewAgent(limits: Limits): Promise<AgentState>;
};

/** The client of the agent that has a vault open; `undefined` when there is none. Throws `IN_USE` when there is one that can't be talked to. */
export async function connectToAgent(
  directory: string,
  options: ConnectOptions = {},
): Promise<AgentClient | undefined> {
  const connected = await connectToOwner(directory, options);
  if (connected === undefined) return undefined;
  const { connection, hello } = connected;
  const ask = async (method: string, args: readonly unknown[]): Promise<AgentState> =>
    parseState(await connection.open(method, args, {}).result);
  return {
    ...createRemoteClient(connection, hello, options.caller ?? thisProcessElsewhere()),
    agentState: () => ask('agent.state', []),
    renewAgent: (limits) => ask('agent.renew', [limits]),
  };
}

export interface LockOptions extends ConnectOptions {
  /** Called when the agent is stopped, with the number of its process. It is ended. */
  readonly onStopped?: (pid: number) => void;
}

/**
 * Has the agent close the vault, and waits until it has. False when there is none. An agent of another version, which would not understand, is told by a signal, and so is one that is stopped, where that can be known:
 * it closes the vault when it goes on, or is killed when it does not. Throws `IN_USE` when there is one that does not answer.
 */
export async function lockAgent(directory: string, options: LockOptions = {}): Promise<boolean> {
  const found = await greetOwner(directory, options);
  if (found === undefined) return false;
  if ('pid' in found) {
    options.onStopped?.(found.pid);
    await endStoppedOwner(directory, found, options.signal);
    return true;
  }
  const { connection, hello } = found;
  try {
    if ('vaultId' in hello) await connection.open('agent.lock', [], {}).result;
    else process.kill(hello.pid, 'SIGTERM');
    await connection.closed;
    return true;
  } finally {
    connection.close();
  }
}
