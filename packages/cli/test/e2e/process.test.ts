import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COFFER, ended, hasPty, runCoffer, runInTerminal, startCoffer } from '../support/coffer.ts';
import { TestVault, hasAgent } from '../support/test-vault.ts';

const LARGE_BYTES = 2 ** 32;

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  // Sparse: it costs nothing until it is sealed.
  writeFileSync(vault.path('large.bin'), '');
  truncateSync(vault.path('large.bin'), LARGE_BYTES);
  const content = Buffer.alloc(20_000_000, 'The quick brown fox. ');
  await vault.put('medium.txt', content);
  for (let index = 0; index < 30; index += 1) await vault.put(`many/${String(index)}.txt`, 'x');
});
afterAll(() => {
  vault[Symbol.dispose]();
});

/** Resolves once the child has said on stderr that it is at work. */
async function atWork(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    child.stderr?.once('data', () => {
      resolve();
    });
  });
}

const startAdd = (name: string): ChildProcess =>
  startCoffer(['add', vault.path('large.bin'), '--name', name, '--progress', 'json'], { env: vault.env });

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle of a large file leaves the vault clean and exits %d', async (signal, exit) => {
  const child = startAdd(`${signal}.bin`);
  const end = ended(child);
  await atWork(child);
  child.kill(signal);
  const { code, stdout, stderr } = await end;
  expect([code, stdout]).toEqual([exit, '']);
  expect(stderr).toContain(signal === 'SIGINT' ? 'interrupted' : 'ended by a signal');
  expect(vault.sealedNames().filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect((await vault.run(['info', `${signal}.bin`])).code).toBe(15);
  expect((await vault.run(['check', '--quick'])).code).toBe(0);
});

test.skipIf(hasAgent)('another process gets exit 11 while a vault is in use', async () => {
  const child = startAdd('busy.bin');
  const end = ended(child);
  await atWork(child);
  const { code, stderr } = await runCoffer(['ls', '--json'], { env: vault.env });
  expect(code).toBe(11);
  expect(JSON.parse(stderr)).toMatchObject({ type: 'error', code: 'IN_USE', exitCode: 11 });
  child.kill('SIGINT');
  expect((await end).code).toBe(130);
});

test.runIf(hasAgent)('another process can do its work meanwhile', async () => {
  const child = startAdd('busy.bin');
  const end = ended(child);
  await atWork(child);
  const { code, stdout } = await runCoffer(['ls'], { env: vault.env });
  expect([code, stdout]).toEqual([0, expect.stringContaining('medium.txt') as string]);
  child.kill('SIGINT');
  expect((await end).code).toBe(130);
});

test('a reader that stops early is no error', async () => {
  for (const args of [
    ['cat', 'medium.txt'],
    ['ls', '-r'],
    ['find', 'txt', '-l'],
  ]) {
    const child = startCoffer(args, { env: vault.env });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const [code, stderr] = await Promise.all([
      new Promise((resolve) => child.once('close', resolve)),
      child.stderr?.toArray() as Promise<Buffer[]>,
    ]);
    expect([code, Buffer.concat(stderr).toString()]).toEqual([0, '']);
  }
});

test('adding goes on when nobody reads the names', async () => {
  mkdirSync(vault.path('unread'));
  for (const name of ['1', '2', '3']) writeFileSync(vault.path('unread', name), name);
  const child = startCoffer(['add', '-r', vault.path('unread'), '-q', '--json'], { env: vault.env });
  child.stdout?.destroy();
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  expect((await vault.run(['ls', 'unread'])).stdout).toBe('1\n2\n3\n');
});

test.skipIf(!existsSync('/dev/full'))('a full disk behind stdout exits 17 (needs /dev/full)', async () => {
  for (const args of [
    ['ls', '-r'],
    ['cat', 'medium.txt'],
  ]) {
    const full = openSync('/dev/full', 'w');
    const child = startCoffer(args, { env: vault.env, stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    const { code, stderr } = await ended(child);
    expect(code).toBe(17);
    expect(stderr).toMatch(/^coffer: error: stdout can't be written/);
  }
});

test('content larger than a pipe comes through whole', async () => {
  const child = startCoffer(['cat', 'medium.txt'], { env: vault.env });
  const { code, stdout } = await ended(child);
  expect([code, stdout.length]).toEqual([0, 20_000_000]);
});

test('a passphrase comes through a descriptor of its own while stdin is content', async () => {
  const passphrase = vault.path('fd-pass');
  writeFileSync(passphrase, 'correct horse battery');
  const env = { COFFER_VAULT: vault.path('fd-vault') };
  expect((await runCoffer(['init', '--passphrase-file', passphrase], { env })).code).toBe(0);
  const fd = openSync(passphrase, 'r');
  const child = startCoffer(['add', '-', '--name', 'x.txt', '--passphrase-fd', '3'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', fd],
  });
  closeSync(fd);
  child.stdin?.end('content');
  expect(await ended(child)).toMatchObject({ code: 0, stdout: 'x.txt\n' });
  expect(
    await runCoffer(['cat', 'x.txt', '--passphrase-fd', '0'], { env, input: 'correct horse battery\n' }),
  ).toMatchObject({
    code: 0,
    stdout: 'content',
  });
  expect(await runCoffer(['ls', '--passphrase-command', `cat ${passphrase}`], { env })).toMatchObject({
    code: 0,
  });
  expect(await runCoffer(['ls'], { env })).toMatchObject({ code: 4, stdout: '' });
});

test('the program works through a link to it, from any folder', async () => {
  const [node = '', condition = '', bin = ''] = COFFER;
  symlinkSync(bin, vault.path('coffer.ts'));
  const child = spawn(node, [condition, vault.path('coffer.ts'), 'version'], {
    cwd: vault.folder,
    stdio: 'pipe',
  });
  expect(await ended(child)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^coffer /) as string });
});

test.skipIf(!hasPty)(
  'of two commands of one pipe the second asks when the first has had its answer (needs a python3 pty)',
  async () => {
    const [from, to] = [vault.path('from'), vault.path('to')];
    writeFileSync(vault.path('from-phrase'), 'the passphrase of from');
    writeFileSync(vault.path('to-phrase'), 'the passphrase of to');
    for (const [name, file] of [
      [from, 'from-phrase'],
      [to, 'to-phrase'],
    ] as const)
      await runCoffer(['init', '--vault', name, '--passphrase-file', vault.path(file)]);
    const secret = ['--passphrase-file', vault.path('from-phrase')];
    await runCoffer(['add', '-', '--name', 'a', '--vault', from, ...secret], { input: 'content' });
    const coffer = COFFER.map((word) => `'${word}'`).join(' ');
    const pipe = `${coffer} cat a --vault '${from}' | ${coffer} add - --name b --vault '${to}'`;
    const { status, screen, stepsLeft } = await runInTerminal(['sh', '-c', pipe], {
      steps: [
        { wait: `Passphrase of ${from}`, type: 'the passphrase of from\r' },
        { wait: `Passphrase of ${to}`, type: 'the passphrase of to\r' },
      ],
    });
    expect([status, stepsLeft], screen).toEqual([0, 0]);
    const read = await runCoffer(['cat', 'b', '--vault', to, '--passphrase-file', vault.path('to-phrase')]);
    expect(read.stdout).toBe('content');
  },
);

test.skipIf(!hasPty)(
  'who mistypes a passphrase is asked again, three times in all, and a program is not (needs a python3 pty)',
  async () => {
    const env = { COFFER_VAULT: vault.path('mistyped') };
    writeFileSync(vault.path('phrase'), 'correct horse battery');
    writeFileSync(vault.path('other'), 'another horse entirely');
    await runCoffer(['init', '--passphrase-file', vault.path('phrase')], { env });
    const first = { wait: 'Passphrase of', type: 'wrong horse battery\r' };
    const again = { ...first, wait: 'does not open this vault; try again(.|\\s)*Passphrase of' };

    const right = await runInTerminal(
      [...COFFER, 'key', 'passwd', '--new-passphrase-file', vault.path('other')],
      {
        env,
        terminal: ['stderr'],
        steps: [first, again, { ...again, type: 'correct horse battery\r' }],
      },
    );
    expect([right.status, right.stepsLeft]).toEqual([0, 0]);
    expect(right.stdout).toMatch(/^[0-9a-f]{8}\n$/);

    const wrong = await runInTerminal([...COFFER, 'ls'], {
      env,
      terminal: ['stderr'],
      steps: [first, again, again],
    });
    expect([wrong.status, wrong.stdout, wrong.stepsLeft]).toEqual([12, '', 0]);
    expect(wrong.screen.match(/error:/g)).toHaveLength(1);
    expect(wrong.screen.match(/try again/g)).toHaveLength(2);

    // A person who is there is not asked for what an option has given.
    const given = await runInTerminal([...COFFER, 'ls', '--passphrase-file', vault.path('phrase')], { env });
    expect(given.status).toBe(12);
    expect(given.screen).not.toMatch(/try again|Passphrase of/);
  },
);

test.skipIf(!hasPty)(
  'init asks twice, add asks while content is piped in (needs a python3 pty)',
  async () => {
    const env = { COFFER_VAULT: vault.path('asked') };
    const made = await runInTerminal([...COFFER, 'init', '--no-recovery'], {
      env,
      steps: [
        { wait: 'New passphrase', type: 'correct horse battery\r' },
        { wait: 'once more', type: 'correct horse battery\r' },
      ],
    });
    expect([made.status, made.stepsLeft]).toEqual([0, 0]);
    expect(made.screen).toContain('Made a vault');
    expect(made.screen).not.toContain('horse');

    const added = await runInTerminal([...COFFER, 'add', '-', '--name', 'piped.txt'], {
      env,
      terminal: ['stderr'],
      input: 'content from a pipe',
      steps: [{ wait: 'Passphrase of', type: 'correct horse battery\r' }],
    });
    expect([added.status, added.stdout]).toEqual([0, 'piped.txt\n']);

    const interrupted = await runInTerminal([...COFFER, 'cat', 'piped.txt'], {
      env,
      steps: [{ wait: 'Passphrase of', type: '\u0003' }],
    });
    expect(interrupted.status).toBe(130);
  },
);

test.skipIf(!hasPty)(
  'a bar shows on a terminal after a second, and Ctrl-C takes it away (needs a python3 pty)',
  async () => {
    const { screen, status } = await runInTerminal(
      [...COFFER, 'add', vault.path('large.bin'), '--name', 'bar.bin'],
      {
        env: vault.env,
        steps: [{ wait: '/s .* left', type: '\u0003' }],
      },
    );
    expect(status).toBe(130);
    expect(screen).toMatch(/of 4\.3 GB {2}\d+ %/);
    expect(screen.lastIndexOf('\u001B[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001B[?25l'));
    expect(screen.trimEnd().endsWith('interrupted')).toBe(true);
    expect(readdirSync(join(vault.path('vault'), 'files')).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
  },
);

test('a second Ctrl-C ends the program at once, whatever it waits for', async () => {
  const child = startCoffer(['cat', 'medium.txt'], { env: vault.env });
  const end = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  // It is at work, and then waits for somebody to read on, which nobody does.
  await once(child.stdout ?? child, 'readable');
  // Two that come at once are one to the operating system.
  const pressing = setInterval(() => child.kill('SIGINT'), 100);
  const [code, signal] = await end;
  clearInterval(pressing);
  // By the signal itself, which is the only thing that nothing can hold up; a shell calls it 130.
  expect([code, signal]).toEqual([null, 'SIGINT']);
  expect((await vault.run(['ls', 'medium.txt'])).code).toBe(0);
});

test.each([0, 3])(
  'one Ctrl-C is enough while a passphrase is awaited that descriptor %d never brings',
  async (fd) => {
    const child = startCoffer(['ls', '-v', '--passphrase-fd', String(fd)], {
      env: vault.env,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const end = ended(child);
    // What -v says before it reads.
    await atWork(child);
    child.kill('SIGINT');
    const { code, stderr } = await end;
    expect([code, stderr]).toEqual([130, expect.stringContaining('interrupted') as string]);
  },
);
