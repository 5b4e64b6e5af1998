import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COFFER, ended, runCoffer, startCoffer } from '../support/coffer.ts';
import type { Ended } from '../support/coffer.ts';
import { createTerminal, parseLines, runMain } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
/** Names the vault and gives no secret. */
let noSecret: Readonly<Record<string, string>>;
beforeEach(async () => {
  vault = await TestVault.create();
  noSecret = { COFFER_VAULT: vault.path('vault') };
});
afterEach(() => {
  vault[Symbol.dispose]();
});

const withoutSecret = (...args: string[]) => runMain(args, { env: noSecret });

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended and that nobody has waited for is still there in name.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function hasEnded(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid)).toBe(false);
}

/** The processes that a child has started and that have not ended. */
function childrenOf({ pid = 0 }: ChildProcess): string[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'latin1');
    return text.split(' ').filter((each) => each !== '');
  } catch {
    return [];
  }
}

/** Resolves once the child has said on stderr that it is at work. */
async function atWork(child: ChildProcess): Promise<void> {
  if (child.stderr !== null) await once(child.stderr, 'data');
}

function sparseFile(name: string, sizeBytes: number): string {
  writeFileSync(vault.path(name), '');
  truncateSync(vault.path(name), sizeBytes);
  return vault.path(name);
}

const leftovers = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

describe('unlock, status and lock', () => {
  test('with an agent no command needs a secret, and without it all do', async () => {
    expect((await withoutSecret('ls')).code).toBe(4);
    const pid = await vault.unlock('--for', '1h30min', '--idle', '15min');
    await vault.put('a.txt', 'hello');
    expect(await withoutSecret('cat', 'a.txt')).toMatchObject({ code: 0, stdout: 'hello' });
    const [status] = parseLines((await withoutSecret('status', '--json')).stdout);
    expect(status?.['agent']).toEqual({
      pid,
      sinceMs: expect.any(Number) as number,
      untilMs: expect.any(Number) as number,
      idleMs: 900_000,
    });
    expect((await withoutSecret('status')).stdout).toMatch(/^agent +\d+, until .*15 min/m);

    const locked = await withoutSecret('lock');
    expect([locked.code, locked.stderr]).toEqual([0, 'Locked.\n']);
    expect((await withoutSecret('ls')).code).toBe(4);
    expect((await vault.run(['ls'])).stdout).toBe('a.txt\n');
    await hasEnded(pid);
  });

  test('status tells a locked vault from an unlocked one without a secret', async () => {
    const locked = parseLines((await withoutSecret('status', '--json')).stdout);
    expect(locked).toEqual([
      {
        v: 1,
        type: 'status',
        locked: true,
        vaultId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        directory: vault.path('vault'),
        formatVersion: 1,
        slots: 1,
        keySlots: await vault
          .json(['key', 'ls'])
          .then((slots) => slots.map(({ id, kind, createdAtMs }) => ({ id, kind, createdAtMs }))),
      },
    ]);
    const said = await withoutSecret('status', '--no-input');
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(/^key slots +1: keyfile\nagent +none: the vault is locked$/m);
    expect(said.stderr).toContain('hint: give it with --keyfile');
    // Opened for this command only, so it is locked all the same.
    expect(await vault.json(['status'])).toMatchObject([{ locked: true, files: 0 }]);
    await vault.unlock();
    const unlocked = parseLines((await withoutSecret('status', '--json')).stdout);
    expect(unlocked).toMatchObject([{ locked: false, files: 0, keySlots: [{ kind: 'keyfile' }] }]);
    expect((await withoutSecret('status', '--no-input', '--vault', vault.path('none'))).code).toBe(10);
  });

  test('with a program at a terminal status asks nobody', async () => {
    const terminal = createTerminal([]);
    const options = { env: noSecret, openTerminal: () => terminal };
    writeFileSync(vault.path('pass'), 'correct horse battery');
    await vault.run(['key', 'add', '--new-passphrase-file', vault.path('pass')]);
    expect(parseLines((await runMain(['status', '--json'], options)).stdout)).toMatchObject([
      { locked: true, slots: 2 },
    ]);
    expect(terminal.shown()).toBe('');
  });

  test('locking what is not unlocked is no error, where there is a vault', async () => {
    expect(await vault.json(['lock'])).toEqual([{ v: 1, type: 'summary', command: 'lock', locked: false }]);
    expect((await runMain(['lock', '--vault', vault.path('none')])).code).toBe(10);
  });

  test('a wrong key is said by unlock, and no agent stays', async () => {
    expect(
      (await runMain(['init', '--vault', vault.path('other'), '--keyfile', vault.path('key2')])).code,
    ).toBe(0);
    const { code, stderr } = await vault.run(['unlock', '--keyfile', vault.path('key2')]);
    expect([code, stderr]).toEqual([12, expect.stringMatching(/^coffer: error: /) as string]);
    expect((await withoutSecret('ls')).code).toBe(4);
    expect(
      (await runMain(['unlock', '--vault', vault.path('none'), '--keyfile', vault.path('key')])).code,
    ).toBe(10);
    expect((await vault.run(['unlock', '--for', 'ever'])).code).toBe(2);
    expect((await vault.run(['unlock', '--for', '31d'])).code).toBe(2);
  });

  test('a secret that is given has to be right with an agent, too', async () => {
    await vault.unlock();
    expect(
      (await runMain(['init', '--vault', vault.path('other'), '--keyfile', vault.path('key2')])).code,
    ).toBe(0);
    expect((await vault.run(['ls', '--keyfile', vault.path('key2')])).code).toBe(12);
    expect((await vault.run(['ls', '--keyfile', vault.path('none')])).code).toBe(15);
    expect((await vault.run(['unlock', '--keyfile', vault.path('key2')])).code).toBe(12);
  });

  test('unlocking again begins the time anew, with the agent that is there', async () => {
    const pid = await vault.unlock('--for', '1h');
    const [before] = parseLines((await withoutSecret('status', '--json')).stdout);
    expect(await vault.unlock('--for', '2h')).toBe(pid);
    const [after] = parseLines((await withoutSecret('status', '--json')).stdout);
    const until = (status: Record<string, unknown> | undefined): number =>
      (status?.['agent'] as { untilMs: number }).untilMs;
    expect(until(after) - until(before)).toBeGreaterThan(3_000_000);
  });

  test('of two at once one starts an agent, and both have the vault unlocked', async () => {
    const [first, second] = await Promise.all([vault.unlock(), vault.unlock()]);
    expect(first).toBe(second);
    expect((await withoutSecret('ls')).code).toBe(0);
  });
});

describe('an agent', () => {
  test('has nothing secret in its arguments, its environment or a file', async () => {
    const passphrase = 'an unmistakable passphrase';
    writeFileSync(vault.path('pass'), passphrase, { mode: 0o600 });
    await vault.run(['key', 'add', '--new-passphrase-file', vault.path('pass')]);
    const { stdout } = await runMain(['unlock', '--json', '--passphrase-file', vault.path('pass')], {
      env: noSecret,
    });
    const pid = String(parseLines(stdout)[0]?.['pid']);
    await vault.put('a-telling-name.txt', 'x');
    const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
    const folder = join(process.env['XDG_RUNTIME_DIR'] ?? '', 'coffer');
    for (const name of readdirSync(folder).filter((each) => each.includes('.log'))) {
      seen.push(readFileSync(join(folder, name), 'latin1'));
    }
    expect(seen.length).toBeGreaterThan(2);
    for (const text of seen) {
      expect(text).not.toContain('unmistakable');
      expect(text).not.toContain(vault.folder);
      expect(text).not.toContain('telling');
    }
    await vault.run(['lock', '--keyfile', vault.path('key')]);
  });

  test('locks the vault when nothing was done for a while', async () => {
    const pid = await vault.unlock('--idle', '1s');
    await hasEnded(pid);
    expect((await vault.run(['check'])).code).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('locks the vault on %s', async (signal) => {
    const pid = await vault.unlock();
    await vault.put('a.txt', 'x');
    process.kill(pid, signal);
    await hasEnded(pid);
    expect((await vault.run(['ls'])).stdout).toBe('a.txt\n');
  });

  test('ends when the folder of the vault goes, and has nothing to do with a new one', async () => {
    const pid = await vault.unlock();
    await vault.put('old.txt', 'x');
    rmSync(vault.path('vault'), { recursive: true });
    expect((await vault.run(['init'])).code).toBe(0);
    expect((await vault.run(['ls'])).stdout).toBe('');
    const next = await vault.unlock();
    expect(next).not.toBe(pid);
    await hasEnded(pid);
    expect(await withoutSecret('ls')).toMatchObject({ code: 0, stdout: '' });
  });

  test('locks the vault when its socket goes, for no command would find it', async () => {
    const pid = await vault.unlock();
    await vault.put('a.txt', 'x');
    rmSync(join(process.env['XDG_RUNTIME_DIR'] ?? '', 'coffer'), { recursive: true });
    await hasEnded(pid);
    expect((await vault.run(['ls'])).stdout).toBe('a.txt\n');
  });

  test('that can not be found is not said to be none: lock names its process and exits 11', async () => {
    const pid = await vault.unlock();
    const places = process.env['XDG_RUNTIME_DIR'];
    process.env['XDG_RUNTIME_DIR'] = vault.folder;
    try {
      const { code, stdout, stderr } = await withoutSecret('lock');
      expect([code, stdout]).toEqual([11, '']);
      expect(stderr).toContain(`in use by another process (pid ${String(pid)})`);
      expect(stderr).toContain('hint: wait until it is done');
    } finally {
      process.env['XDG_RUNTIME_DIR'] = places;
    }
    expect((await withoutSecret('lock')).stderr).toBe('Locked.\n');
  });

  test.skipIf(process.platform !== 'linux')(
    'that is stopped is named by every command, and lock ends it',
    async () => {
      const pid = await vault.unlock();
      await vault.put('a.txt', 'hello');
      process.kill(pid, 'SIGSTOP');
      const listing = await withoutSecret('ls');
      expect(listing.code).toBe(11);
      expect(listing.stderr).toContain(`(pid ${String(pid)}) is stopped`);
      expect(listing.stderr).toContain(`kill -CONT ${String(pid)}`);
      const locked = await withoutSecret('lock');
      expect([locked.code, locked.stderr]).toEqual([
        0,
        `The agent (${String(pid)}) was stopped; it is told to end.\nLocked.\n`,
      ]);
      await hasEnded(pid);
      expect((await vault.run(['cat', 'a.txt'])).stdout).toBe('hello');
    },
  );

  test('restores files to the folder and with the modes of the command', async () => {
    await vault.unlock();
    await vault.put('docs/a.txt', 'hello');
    mkdirSync(vault.path('work'));
    const script = 'umask 027; cd "$0"; "$@" get docs -o out; stat -c %a out out/docs out/docs/a.txt';
    const child = startCoffer([], {
      env: noSecret,
      command: ['sh', '-c', script, vault.path('work'), ...COFFER],
    });
    const { stdout } = await ended(child);
    expect(stdout).toBe('out/docs/a.txt\n750\n750\n640\n');
  });

  test('reads what only the command has: its stdin', async () => {
    await vault.unlock();
    const content = Buffer.alloc(3_000_000, 'The quick brown fox. ');
    const added = await runCoffer(['add', '-', '--name', 'in.txt'], { env: noSecret, input: content });
    expect(added).toMatchObject({ code: 0, stdout: 'in.txt\n' });
    const { stdout } = await runCoffer(['cat', 'in.txt'], { env: noSecret });
    expect(Buffer.from(stdout).equals(content)).toBe(true);
  });
});

describe('kill -9', () => {
  test.each(['add', 'get', 'cat'] as const)(
    'of %s in the middle leaves the agent healthy, and nothing behind',
    async (command) => {
      const pid = await vault.unlock();
      const large = sparseFile('large.bin', 400_000_000);
      mkdirSync(vault.path('out'));
      if (command !== 'add') await vault.run(['add', large]);
      const args = {
        add: ['add', sparseFile('huge.bin', 2 ** 33)],
        get: ['get', 'large.bin', '-o', vault.path('out')],
        cat: ['cat', 'large.bin'],
      }[command];
      const child = startCoffer([...args, '--progress', 'json'], { env: vault.env });
      // From the beginning: it may be quicker than this process.
      const end = once(child, 'exit');
      // Of cat, whose output nobody reads, what fits into the pipe.
      if (command === 'cat' && child.stdout !== null) await once(child.stdout, 'readable');
      else await atWork(child);
      child.kill('SIGKILL');
      await end;
      await expect.poll(() => leftovers(vault.path('vault', 'files'))).toEqual([]);
      await expect.poll(() => leftovers(vault.path('out'))).toEqual([]);
      expect(isRunning(pid)).toBe(true);
      await vault.put('after.txt', 'x');
      expect((await withoutSecret('cat', 'after.txt')).stdout).toBe('x');
      expect((await withoutSecret('ls', 'huge.bin')).code).toBe(15);
    },
  );

  test('of the agent: the command says so, and the next one opens the vault clean', async () => {
    const pid = await vault.unlock();
    await vault.put('before.txt', 'x');
    const child = startCoffer(['add', sparseFile('huge.bin', 2 ** 33), '--progress', 'json'], {
      env: noSecret,
    });
    const end = ended(child);
    await atWork(child);
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await end;
    expect(code).toBe(18);
    expect(stderr).toContain('the agent that has this vault open ended before this was done');
    // Its socket is still there: it is nobody's.
    expect((await vault.run(['ls'])).stdout).toBe('before.txt\n');
    expect(leftovers(vault.path('vault', 'files'))).toEqual([]);
    expect((await vault.run(['check'])).code).toBe(0);
    expect(await vault.unlock()).not.toBe(pid);
    expect((await withoutSecret('ls')).stdout).toBe('before.txt\n');
  });

  test('of an unlock while its agent starts leaves a vault that opens, with the agent or without one', async () => {
    let kill: Ended | undefined;
    // The agent may be quicker than this process.
    for (let attempt = 0; attempt < 5 && kill?.code !== 'SIGKILL'; attempt += 1) {
      const child = startCoffer(['unlock'], { env: vault.env });
      const end = ended(child);
      await expect
        .poll(() => childrenOf(child).length > 0 || child.exitCode !== null, { interval: 5 })
        .toBe(true);
      child.kill('SIGKILL');
      kill = await end;
      await expect.poll(async () => (await vault.run(['ls'])).code).toBe(0);
      await vault.run(['lock']);
    }
    expect(kill).toEqual({ code: 'SIGKILL', stdout: '', stderr: '' });
  });
});

test('the end of its time gives up what is running, and the exit code says so', async () => {
  const pid = await vault.unlock();
  const child = startCoffer(['add', '-', '--name', 'huge.bin', '--json'], { env: noSecret });
  const end = ended(child);
  // Its content never ends.
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(Buffer.alloc(3_000_000));
  await expect.poll(() => leftovers(vault.path('vault', 'files'))).toHaveLength(1);
  // Its time begins anew.
  expect(await vault.unlock('--for', '1s')).toBe(pid);
  const { code, stderr } = await end;
  expect(code).toBe(18);
  expect(parseLines(stderr)).toMatchObject([
    { type: 'error', code: 'CLOSED', exitCode: 18, message: 'the vault was locked: its time was over' },
  ]);
  expect(leftovers(vault.path('vault', 'files'))).toEqual([]);
});

test('lock gives up what is running, and says why', async () => {
  await vault.unlock();
  const child = startCoffer(['add', sparseFile('huge.bin', 2 ** 33), '--progress', 'json'], {
    env: noSecret,
  });
  const end = ended(child);
  await atWork(child);
  expect((await withoutSecret('lock')).code).toBe(0);
  const { code, stderr } = await end;
  expect([code, stderr]).toEqual([
    18,
    expect.stringContaining('the vault was locked by `coffer lock`') as string,
  ]);
  expect(leftovers(vault.path('vault', 'files'))).toEqual([]);
  expect(existsSync(vault.path('vault', 'vault.json'))).toBe(true);
});
