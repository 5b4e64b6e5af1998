/*
 * Started as a process of its own by keychain.ts: a keychain that waits for somebody to answer its question blocks a thread, which no
 * signal and no timeout ends, but killing this process does. Only relative imports: it runs from `src` and from `dist` with no flags.
 */
import { createRequire } from 'node:module';
import type { AsyncEntry } from '@napi-rs/keyring';
import { FrameReader, MAX_FRAME_SIZE_BYTES, decodeRequest, encodeAnswer } from './message.ts';
import type { KeychainAnswer, KeychainFailure, KeychainRequest } from './message.ts';
import { isSecretServiceLocked, listSecretServiceItems } from './secret-service.ts';

const SERVICE = 'coffer';

/** The Secret Service and nothing else on Linux: the kernel's keyring would be empty after the next start of the machine. */
const OPTIONS = { linux: { store: 'secret-service' } } as const;

const reader = new FrameReader();
process.stdin.on('end', () => process.exit(0));
// A parent that is gone reads no answer.
process.stdout.on('error', () => process.exit(1));
for await (const piece of process.stdin) {
  for (const content of reader.push(piece as Buffer)) {
    const answer = encodeAnswer(await work(decodeRequest(content)));
    content.fill(0);
    process.stdout.write(answer, () => answer.fill(0));
  }
}

async function work({ operation, isQuiet, account, secret }: KeychainRequest): Promise<KeychainAnswer> {
  if (operation === 'list') return await list();
  if (isQuiet && process.platform === 'linux') {
    // The attributes that the module gives its items.
    if (await isSecretServiceLocked({ service: SERVICE, username: account }))
      return { type: 'error', failure: 'locked', message: 'nobody is asked to unlock it' };
  }
  let entry: AsyncEntry;
  try {
    entry = openEntry(account);
  } catch (error) {
    // Nothing was asked of an item yet: there is no keychain, or no binary of the module for this machine.
    return { type: 'error', failure: 'unavailable', message: messageOf(error) };
  }
  try {
    switch (operation) {
      case 'get': {
        const bytes = await entry.getSecret();
        return bytes === null ? { type: 'none' } : { type: 'done', secret: Uint8Array.from(bytes) };
      }
      case 'set':
        await entry.setSecret(secret);
        return { type: 'done', secret: new Uint8Array() };
      case 'remove':
        return (await entry.deleteCredential())
          ? { type: 'done', secret: new Uint8Array() }
          : { type: 'none' };
    }
  } catch (error) {
    const message = messageOf(error);
    return { type: 'error', failure: classify(message), message };
  }
}

async function list(): Promise<KeychainAnswer> {
  try {
    const accounts = await listSecretServiceItems({ service: SERVICE }, 'username');
    if (accounts === undefined)
      return {
        type: 'error',
        failure: 'locked',
        message: 'what is in it can be listed only while it is not',
      };
    const lines = new TextEncoder().encode(accounts.join('\n'));
    if (lines.length < MAX_FRAME_SIZE_BYTES) return { type: 'done', secret: lines };
    return { type: 'error', failure: 'failed', message: 'it has too many items to list' };
  } catch (error) {
    return { type: 'error', failure: 'unavailable', message: messageOf(error) };
  }
}

function openEntry(account: string): AsyncEntry {
  const load = createRequire(import.meta.url);
  const keyring = load('@napi-rs/keyring') as typeof import('@napi-rs/keyring');
  return new keyring.AsyncEntry(SERVICE, account, OPTIONS);
}

/** The module has one error code for everything; what happened is in its English text, which comes from the keyring crate. */
function classify(message: string): KeychainFailure {
  if (/dismissed|locked|denied|not allowed|cancell?ed|interaction/i.test(message)) return 'locked';
  // "no result found": a Secret Service without any collection to keep items in.
  if (/platform failure|dbus|d-bus|no result found|not available|unavailable/i.test(message))
    return 'unavailable';
  return 'failed';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
