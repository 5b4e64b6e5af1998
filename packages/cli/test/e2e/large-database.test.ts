import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import type { MainEnded } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

/** A vault whose database another process copies: it has 30 MB of small files. The agent's number is that of the process that has it open. */
async function unlockLarge(): Promise<{ vault: TestVault; agent: number }> {
  const vault = await TestVault.create();
  onTestFinished(() => {
    vault[Symbol.dispose]();
  });
  mkdirSync(vault.path('small'));
  for (let number = 0; number < 300; number += 1)
    writeFileSync(vault.path('small', `${String(number)}.bin`), new Uint8Array(100_000).fill(number));
  expect((await vault.run(['add', '-r', vault.path('small')])).code).toBe(0);
  return { vault, agent: await vault.unlock() };
}

function readProcess(pid: string | number, name: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'latin1');
  } catch {
    // It has ended.
    return '';
  }
}

/** Stops the process that copies the database for the agent, as soon as there is one. */
async function stopCopying(agent: number): Promise<{ goOn: () => void }> {
  const find = (): number | undefined => {
    const children = readdirSync(`/proc/${String(agent)}/task`).flatMap((task) =>
      readProcess(agent, `task/${task}/children`).split(' '),
    );
    return children
      .map(Number)
      .find((pid) => pid > 0 && readProcess(pid, 'cmdline').includes('copy-process'));
  };
  let copier: number | undefined;
  await expect.poll(() => (copier ??= find()), { interval: 5 }).toBeDefined();
  const pid = copier ?? 0;
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => {
    if (readProcess(pid, 'cmdline').includes('copy-process')) process.kill(pid, 'SIGKILL');
  });
  await expect.poll(() => readProcess(pid, 'status')).toMatch(/^State:\s+T/m);
  return { goOn: () => process.kill(pid, 'SIGCONT') };
}

/** What a command has said by now. */
function watch(running: Promise<MainEnded>): { readonly ended: MainEnded | undefined } {
  const watched: { ended: MainEnded | undefined } = { ended: undefined };
  void running.then((ended) => {
    watched.ended = ended;
  });
  return watched;
}

test.skipIf(process.platform !== 'linux')(
  'while a rotation copies the database, files are read, added and removed',
  async () => {
    const { vault, agent } = await unlockLarge();
    const rotating = vault.run(['key', 'rotate']);
    const rotation = watch(rotating);
    const copying = await stopCopying(agent);
    const read = await vault.run(['cat', 'small/7.bin']);
    expect(read.bytes).toEqual(Buffer.alloc(100_000, 7));
    expect((await vault.run(['ls'])).stdout).toBe('small/\n');
    await vault.put('late.txt', 'came meanwhile');
    expect((await vault.run(['rm', 'small/8.bin'])).code).toBe(0);
    expect(rotation.ended).toBeUndefined();
    copying.goOn();
    expect(await rotating).toMatchObject({ code: 0 });
    expect((await vault.run(['cat', 'late.txt'])).stdout).toBe('came meanwhile');
    expect((await vault.run(['ls', 'small/8.bin'])).code).toBe(15);
    expect((await vault.json(['status']))[0]).toMatchObject({ keyEpoch: 2, rotation: 'none', files: 300 });
    expect((await vault.run(['check'])).code).toBe(0);
  },
);

test.skipIf(process.platform !== 'linux')(
  'while a backup copies the database, files are read and added, and the backup has what there was at its beginning',
  async () => {
    const { vault, agent } = await unlockLarge();
    const backingUp = vault.run(['backup', vault.path('backup')]);
    const backup = watch(backingUp);
    const copying = await stopCopying(agent);
    const read = await vault.run(['cat', 'small/7.bin']);
    expect(read.bytes).toEqual(Buffer.alloc(100_000, 7));
    await vault.put('late.txt', 'came meanwhile');
    await vault.put('late.bin', new Uint8Array(200_000));
    expect(backup.ended).toBeUndefined();
    copying.goOn();
    expect(await backingUp).toMatchObject({ code: 0 });
    const status = await vault.json(['status', '--vault', vault.path('backup')]);
    expect(status[0]).toMatchObject({ files: 300 });
    expect((await vault.json(['status']))[0]).toMatchObject({ files: 302 });
  },
);

test.skipIf(process.platform !== 'linux')(
  'locking gives a rotation up that copies the database, and the vault is as it was',
  async () => {
    const { vault, agent } = await unlockLarge();
    const rotating = vault.run(['key', 'rotate']);
    await stopCopying(agent);
    expect((await vault.run(['lock'])).code).toBe(0);
    expect((await rotating).code).toBe(18);
    expect((await vault.json(['status']))[0]).toMatchObject({ keyEpoch: 1, rotation: 'none', files: 300 });
    expect(readdirSync(vault.path('vault')).filter((name) => name.includes('rekey'))).toEqual([]);
  },
);
