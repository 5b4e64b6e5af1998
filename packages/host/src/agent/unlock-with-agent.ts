import { setTimeout } from 'node:timers/promises';
import { connectToAgent } from '../connect/agent-client.ts';
import { isAgentThere } from '../connect/coming-agent.ts';
import type { ConnectOptions } from '../connect/connect-to-owner.ts';
import type { AgentState } from './agent-methods.ts';
import { startAgent } from './start-agent.ts';
import type { StartMessage } from './start-message.ts';

/** How long the process that has the vault may take to say that it is an agent: it does as soon as it has started a thread. */
const ANNOUNCEMENT_MS = 3_000;
const PAUSE_MS = 100;

/**
 * Has an agent keep the vault open: the one that is there, with its time begun anew once the secret is verified, else a new one. Of several at once one starts it, and the others wait until it
 * serves; when it gives up, because its secret was wrong, the next one tries with its own. Throws what opening a vault throws; `IN_USE` is for a process that is no agent.
 */
export async function unlockWithAgent(
  message: StartMessage,
  options: ConnectOptions = {},
): Promise<AgentState> {
  const { signal } = options;
  for (;;) {
    signal?.throwIfAborted();
    const state = await renewAgent(message, options);
    if (state !== undefined) return state;
    try {
      return await startAgent(message, signal);
    } catch (error) {
      if (!isInUse(error)) throw error;
      const coming = await waitForAgent(message, options);
      if (coming === 'nobody') throw error;
      if (coming !== 'given up') return coming;
    }
  }
}

async function waitForAgent(
  message: StartMessage,
  options: ConnectOptions,
): Promise<AgentState | 'given up' | 'nobody'> {
  const endMs = performance.now() + ANNOUNCEMENT_MS;
  for (let wasThere = false; ;) {
    await setTimeout(PAUSE_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
    const state = await renewAgent(message, options);
    if (state !== undefined) return state;
    const isThere = await isAgentThere(message.directory, options);
    if (wasThere && !isThere) return 'given up';
    if (!isThere && performance.now() > endMs) return 'nobody';
    wasThere = isThere;
  }
}

/** The agent that has the vault open, with its time begun anew; `undefined` when there is none. */
async function renewAgent(
  { directory, secret, limits, keychainTimeoutMs }: StartMessage,
  options: ConnectOptions,
): Promise<AgentState | undefined> {
  await using agent = await connectToAgent(directory, options);
  if (agent === undefined) return undefined;
  await agent.verifySecret(secret, {
    ...(keychainTimeoutMs === undefined ? {} : { keychainTimeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return await agent.renewAgent(limits);
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'IN_USE';
}
