import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createKeyfile, createVault } from '@coffer/vault';
import type { SlotSecret } from '@coffer/vault';
import { expect, onTestFinished, test } from 'vitest';
import { unlockWithAgent } from '../src/agent/unlock-with-agent.ts';
import { lockAgent } from '../src/connect/agent-client.ts';
import { makeFolder } from './support/folder.ts';

const limits = { forMs: 600_000 };

interface Made {
  readonly directory: string;
  readonly keyfile: SlotSecret & { readonly kind: 'keyfile' };
}

/** A vault whose agents have their sockets in a folder of this test; also those that are processes of their own. */
async function makeVault(secret?: SlotSecret): Promise<Made> {
  const folder = makeFolder();
  const before = process.env['XDG_RUNTIME_DIR'];
  mkdirSync(join(folder, 'run'), { mode: 0o700 });
  process.env['XDG_RUNTIME_DIR'] = join(folder, 'run');
  const path = join(folder, 'key');
  await createKeyfile(path);
  const keyfile = { kind: 'keyfile', path } as const;
  const directory = join(folder, 'vault');
  // Slower than starting a process: the others come while the first one derives its key.
  const argon2id = { memoryKiB: 65_536, passes: 10, parallelism: 1 };
  await (await createVault({ directory, secret: secret ?? keyfile, argon2id })).close();
  onTestFinished(async () => {
    await lockAgent(directory);
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
  });
  return { directory, keyfile };
}

/** A process that has the vault open when this resolves. */
async function startOwner(
  script: string,
  { directory, keyfile }: Made,
  ...args: readonly string[]
): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@coffer/source',
      join(import.meta.dirname, 'processes', script),
      directory,
      keyfile.path,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

const passphrase = (text: string): SlotSecret => ({ kind: 'passphrase', passphrase: Buffer.from(text) });

/** More often than it is asked in three seconds. */
const OFTEN = '45';

test('an agent that another process starts is waited for, however long it takes to open the vault', async () => {
  const vault = await makeVault();
  const pid = await startOwner('owner-that-takes-its-time.ts', vault, 'serve', OFTEN);
  const state = await unlockWithAgent({ directory: vault.directory, secret: vault.keyfile, limits });
  expect(state.pid).toBe(pid);
});

test('when that one gives up, an agent is started all the same', async () => {
  const vault = await makeVault();
  const pid = await startOwner('owner-that-takes-its-time.ts', vault, 'give up', OFTEN);
  const state = await unlockWithAgent({ directory: vault.directory, secret: vault.keyfile, limits });
  expect(state.pid).not.toBe(pid);
  expect(await lockAgent(vault.directory)).toBe(true);
});

test('a process that has the vault open and is no agent is not waited for', async () => {
  const vault = await makeVault();
  const pid = await startOwner('owner-without-socket.ts', vault);
  await expect(
    unlockWithAgent({ directory: vault.directory, secret: vault.keyfile, limits }),
  ).rejects.toMatchObject({ code: 'IN_USE', message: expect.stringContaining(String(pid)) as string });
});

test('of several at once all have the vault unlocked by one agent, with a passphrase as well', async () => {
  const { directory } = await makeVault(passphrase('correct horse'));
  const states = await Promise.all(
    [1, 2, 3].map(() => unlockWithAgent({ directory, secret: passphrase('correct horse'), limits })),
  );
  expect(new Set(states.map(({ pid }) => pid)).size).toBe(1);
});

test('of two at once the one with the right secret has the vault unlocked, whichever is first', async () => {
  const { directory } = await makeVault(passphrase('correct horse'));
  const wrong = unlockWithAgent({ directory, secret: passphrase('wrong horse'), limits });
  const right = unlockWithAgent({ directory, secret: passphrase('correct horse'), limits });
  await expect(wrong).rejects.toMatchObject({ code: 'WRONG_KEY' });
  expect((await right).pid).toBeGreaterThan(0);
});
