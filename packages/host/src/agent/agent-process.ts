/*
 * Started as a process of its own by start-agent.ts. Reads what it needs to know from standard input, answers once on descriptor 3, and then lives for as long as its
 * limits allow.
 */
import { openVault } from '@coffer/vault';
import type { Vault } from '@coffer/vault';
import { closeSync, writeSync } from 'node:fs';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import { placesOfThisProcess } from '../place/runtime-folder.ts';
import { Announcement } from '../serve/announcement.ts';
import { Agent } from './agent.ts';
import { decodeStart, encodeAnswer } from './start-message.ts';
import type { StartAnswer } from './start-message.ts';

const ANSWER_FD = 3;
/** An agent that can't close its vault ends all the same. */
const CLOSE_TIMEOUT_MS = 60_000;

// What it makes in the vault is for this user only; restored files get the mask of the command.
process.umask(0o077);

async function openFromInput(): Promise<{ vault: Vault; agent: Agent }> {
  const input = await buffer(process.stdin);
  try {
    const { limits, ...options } = await decodeStart(input);
    const places = placesOfThisProcess();
    let announcement: Announcement | undefined;
    const announce = async (): Promise<AsyncDisposable | undefined> =>
      (announcement = await Announcement.make(options.directory, places));
    const vault = await openVault({ ...options, announce });
    try {
      return { vault, agent: await Agent.start(vault, { limits, places, announcement }) };
    } catch (error) {
      await vault.close();
      throw error;
    }
  } finally {
    // With the secret, which is a view of it.
    input.fill(0);
  }
}

function answer(message: StartAnswer): void {
  try {
    writeSync(ANSWER_FD, encodeAnswer(message));
    closeSync(ANSWER_FD);
  } catch {
    // Whoever started it is gone; commands will find it all the same.
  }
}

function endWith(agent: Agent, reason: 'signal' | 'failed'): void {
  setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
  void agent.lock(reason);
}

let started;
try {
  started = await openFromInput();
} catch (error) {
  answer({ error: error instanceof Error ? error : new Error(String(error)) });
  process.exit(1);
}
const { agent } = started;
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endWith(agent, 'signal');
  });
}
for (const failure of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(failure, () => {
    endWith(agent, 'failed');
  });
}
answer({ state: agent.state });
const reason = await agent.ended;
process.exit(reason === 'failed' ? 1 : 0);
