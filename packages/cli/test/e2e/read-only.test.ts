import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTerminal } from '../support/run-main.ts';
import { TestVault, hasAgent } from '../support/test-vault.ts';

/** Whether this user may mount a file system. */
const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;

const large = randomBytes(200_000);

/** Copies a folder to a disk of its own that is read-only then; returns where it is. */
function freeze(vault: TestVault, folder: string): string {
  const disk = vault.path('disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=700', 'tmpfs', disk]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', disk]);
  });
  execFileSync('cp', ['-a', folder, join(disk, 'frozen')]);
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  return join(disk, 'frozen');
}

async function withFiles(): Promise<TestVault> {
  const vault = await TestVault.create();
  onTestFinished(() => {
    vault[Symbol.dispose]();
  });
  await vault.put('docs/small.txt', 'small content');
  await vault.put('docs/large.bin', large);
  await vault.run(['tag', 'docs/small.txt', 'red']);
  return vault;
}

/** The vault, or a backup of it, on a read-only disk, with an agent where these tests have one. */
async function frozen(what: 'vault' | 'backup'): Promise<{ vault: TestVault; env: Record<string, string> }> {
  const vault = await withFiles();
  if (what === 'backup') await vault.run(['backup', vault.path('backup')]);
  if (hasAgent) await vault.run(['lock']);
  const env = { COFFER_VAULT: freeze(vault, vault.path(what)) };
  if (hasAgent) {
    expect((await vault.run(['unlock', '--for', '20min'], { env })).code).toBe(0);
    onTestFinished(async () => {
      await vault.run(['lock'], { env });
    });
  }
  return { vault, env };
}

test.skipIf(!canMount).each(['vault', 'backup'] as const)(
  'a %s on a read-only disk is listed, read, exported, checked and backed up (needs root for a tmpfs)',
  async (what) => {
    const { vault, env } = await frozen(what);
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await vault.run(args, { env });
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
      expect(stderr).not.toMatch(/warning|error/);
      return stdout;
    };
    expect(await run('ls', '-r')).toBe('docs/large.bin\ndocs/small.txt\n');
    expect(await run('find', 'red')).toBe('docs/small.txt\n');
    expect(await run('info', 'docs/small.txt')).toContain('small.txt');
    expect(await run('cat', 'docs/small.txt')).toBe('small content');
    await run('get', 'docs/large.bin', '-o', vault.path('got'));
    expect(readFileSync(vault.path('got'))).toEqual(large);
    await run('export', vault.path('exported'), '--checksums');
    expect(readFileSync(vault.path('exported', 'docs', 'large.bin'))).toEqual(large);
    await run('check');
    expect(await run('rm', '-n', 'docs/small.txt')).toBe('docs/small.txt\n');
    expect(await run('tag', 'docs/small.txt')).toBe('docs/small.txt  #red\n');
    expect(await run('status')).toMatch(/^changes +none: it is on a read-only disk$/m);
    expect(await run('quarantine', 'ls')).toBe('');
    expect(await run('key', 'ls')).toContain('keyfile');
    await run('backup', vault.path('elsewhere'));
    await run('backup', vault.path('elsewhere'));
    await run('check', '--vault', vault.path('elsewhere'));
    const doctor = await vault.run(['doctor', '--json'], { env });
    expect(doctor.code).toBe(30);
    expect(doctor.stdout.match(/"code":"\w+"/g)).toEqual(['"code":"NOT_WRITABLE"']);
    expect(doctor.stdout).toContain('"opened":true');
  },
);

test.skipIf(!canMount)(
  'what would change it exits 17 before anything is asked (needs root for a tmpfs)',
  async () => {
    const { vault, env } = await frozen('vault');
    const commands = [
      ['add', vault.path('key')],
      ['import', vault.path('vault')],
      ['mv', 'docs', 'papers'],
      ['tag', 'docs/small.txt', 'blue'],
      ['rm', '-r', 'docs'],
      ['rm', 'docs/small.txt'],
      ['key', 'add'],
      ['key', 'rm', 'abcd'],
      ['key', 'passwd'],
      ['key', 'rotate'],
      ['key', 'recovery'],
      ['key', 'accept-rollback'],
      ['quarantine', 'adopt', 'abcd'],
      ['quarantine', 'drop', 'abcd'],
      ['doctor', '--fix'],
    ];
    for (const command of commands) {
      const terminal = createTerminal([]);
      const { code, stderr } = await vault.run(command, { env, openTerminal: () => terminal });
      expect([code, stderr], command.join(' ')).toEqual([
        17,
        expect.stringContaining(
          `${env['COFFER_VAULT'] ?? ''} can only be read: it is on a read-only disk`,
        ) as string,
      ]);
      expect(terminal.shown()).toBe('');
    }
  },
);
