import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openVault } from '@coffer/vault';
import { createTerminal, parseLines, runMain } from '../support/run-main.ts';
import { TestVault, hasAgent } from '../support/test-vault.ts';

async function make(): Promise<TestVault> {
  const vault = await TestVault.create();
  onTestFinished(() => {
    vault[Symbol.dispose]();
  });
  writeFileSync(vault.path('large'), randomBytes(150_000));
  await vault.run(['add', vault.path('large')]);
  return vault;
}

const slots = async (vault: TestVault): Promise<Record<string, unknown>[]> => await vault.json(['key', 'ls']);
const status = async (vault: TestVault): Promise<Record<string, unknown> | undefined> =>
  (await vault.json(['status']))[0];

test('the root key is replaced, the files stay, and what opened the vault opens it', async () => {
  const vault = await make();
  const before = await slots(vault);
  const { code, stdout, stderr } = await vault.run(['key', 'rotate']);
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toContain('key epoch 2): 1 header written anew');
  expect(await slots(vault)).toHaveLength(1);
  expect((await slots(vault))[0]?.['id']).not.toBe(before[0]?.['id']);
  expect(await status(vault)).toMatchObject({
    keyEpoch: 2,
    rotation: 'none',
    keyEpochs: [{ epoch: 2, files: 1 }],
  });
  expect((await vault.run(['status'])).stdout).toMatch(/key epochs +2: 1 sealed file\n/);
  expect((await vault.run(['cat', 'large'])).bytes).toEqual(readFileSync(vault.path('large')));
  expect((await vault.run(['check'])).code).toBe(0);
});

test('with --json, and with the files sealed again', async () => {
  const vault = await make();
  const records = await vault.json(['key', 'rotate', '--reseal']);
  expect(records).toMatchObject([
    { type: 'slot', kind: 'keyfile' },
    {
      type: 'summary',
      command: 'key rotate',
      keyEpoch: 2,
      rewrapped: 1,
      resealed: 1,
      resealedBytes: 150_000,
      problems: 0,
      finished: true,
    },
  ]);
  expect((await vault.run(['cat', 'large'])).bytes).toEqual(readFileSync(vault.path('large')));
});

test('every slot has to be kept or dropped by name, and nobody is dropped unasked', async () => {
  const vault = await make();
  writeFileSync(vault.path('pass'), 'correct horse battery');
  await vault.run(['key', 'add', '--new-passphrase-file', vault.path('pass'), '--label', 'desk']);
  await vault.run(['key', 'add', '--new-keyfile', vault.path('key2')]);
  const [, second, third] = await slots(vault);
  const before = await status(vault);

  const needed = await vault.run(['key', 'rotate']);
  expect([needed.code, needed.stderr]).toEqual([
    4,
    expect.stringContaining('--keep-passphrase-file') as string,
  ]);
  const plan = await vault.json(['key', 'rotate', '-n', '--drop', String(third?.['id'])]);
  expect(plan.map(({ becomes }) => becomes)).toEqual(['kept', 'secret needed', 'dropped', undefined]);
  expect(plan.at(-1)).toMatchObject({ type: 'summary', dryRun: true, sealedFiles: 1 });

  const options = ['--keep-passphrase-file', vault.path('pass'), '--drop', String(third?.['id'])];
  const unconfirmed = await vault.run(['key', 'rotate', ...options]);
  expect([unconfirmed.code, unconfirmed.stderr]).toEqual([4, expect.stringContaining('-y') as string]);
  const declining = createTerminal(['n']);
  expect((await vault.run(['key', 'rotate', ...options], { openTerminal: () => declining })).code).toBe(5);
  expect(declining.shown()).toContain(String(third?.['id']));
  expect(await status(vault)).toEqual(before);

  const done = await vault.run(['key', 'rotate', '-y', ...options]);
  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('Dropped key slot') as string]);
  expect(await slots(vault)).toMatchObject([{ kind: 'keyfile' }, { kind: 'passphrase', label: 'desk' }]);
  expect((await slots(vault)).map(({ id }) => id)).not.toContain(second?.['id']);
  const env = { COFFER_VAULT: vault.env['COFFER_VAULT'] ?? '' };
  expect((await runMain(['ls', '--keyfile', vault.path('key2')], { env })).code).toBe(12);
  expect((await runMain(['ls', '--passphrase-file', vault.path('pass')], { env })).code).toBe(0);
});

test('who is at a terminal is asked for the passphrase of each slot', async () => {
  const vault = await make();
  for (const name of ['one', 'two']) {
    writeFileSync(vault.path(name), `the passphrase ${name}`);
    await vault.run(['key', 'add', '--new-passphrase-file', vault.path(name), '--label', name]);
  }
  // Keep the first, leave the second behind, agree.
  const terminal = createTerminal(['y', 'the passphrase one\r', 'n', 'y']);
  const { code } = await vault.run(['key', 'rotate'], { openTerminal: () => terminal });
  expect(terminal.shown()).toContain('Keep key slot');
  expect(code).toBe(0);
  expect((await slots(vault)).map(({ label }) => label)).toEqual([undefined, 'one']);
  const mistaken = createTerminal(['y', 'the passphrase two\r']);
  const again = await vault.run(['key', 'rotate'], { openTerminal: () => mistaken });
  expect([again.code, (await status(vault))?.['keyEpoch']]).toEqual([12, 2]);
});

test('a recovery code is replaced by a new one', async () => {
  const vault = await make();
  await vault.run(['key', 'recovery', '--new-recovery-code-file', vault.path('code1')]);
  expect((await vault.run(['key', 'rotate', '--json'])).code).toBe(2);
  const { code } = await vault.run(['key', 'rotate', '--new-recovery-code-file', vault.path('code2')]);
  expect(code).toBe(0);
  const env = { COFFER_VAULT: vault.env['COFFER_VAULT'] ?? '' };
  expect((await runMain(['ls', '--recovery-code-file', vault.path('code1')], { env })).code).toBe(12);
  expect((await runMain(['ls', '--recovery-code-file', vault.path('code2')], { env })).code).toBe(0);
  // One that nothing opens with in the end is not left lying around.
  const refused = ['key', 'rotate', '--keep-keyfile', vault.path('none'), '--new-recovery-code-file'];
  expect((await vault.run([...refused, vault.path('code3')])).code).toBe(15);
  expect(existsSync(vault.path('code3'))).toBe(false);
});

test('a rotation that was interrupted is said, and gone on with', async () => {
  const vault = await make();
  if (hasAgent) await vault.run(['lock']);
  const directory = vault.env['COFFER_VAULT'] ?? '';
  const secret = { kind: 'keyfile', path: vault.env['COFFER_KEYFILE'] ?? '' } as const;
  {
    await using open = await openVault({ directory, secret });
    const rotating = open.rotate({ keep: [{ slotId: open.slots()[0]?.id ?? '', secret }] });
    await rotating.next();
    await rotating.return();
  }
  if (hasAgent) await vault.unlock();
  const seen = await vault.run(['status']);
  expect(seen.stderr).toContain('`coffer key rotate` goes on with it');
  expect(seen.stdout).toMatch(/key epochs +2: 0 sealed files, 1: 1 sealed file; a rotation is not finished/);
  expect((await vault.run(['cat', 'large'])).bytes).toEqual(readFileSync(vault.path('large')));
  const planned = parseLines((await vault.run(['key', 'rotate', '-n', '--json'])).stdout);
  expect(planned).toMatchObject([{ type: 'summary', rotation: 'database' }]);
  const { code, stderr } = await vault.run(['key', 'rotate']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('Going on with') as string]);
  expect(await status(vault)).toMatchObject({ rotation: 'none', keyEpochs: [{ epoch: 2, files: 1 }] });
});

test('what is damaged is named, and the rotation ends all the same', async () => {
  const vault = await make();
  const [file] = await vault.json(['info', 'large']);
  const path = `${vault.env['COFFER_VAULT'] ?? ''}/files/${String(file?.['id'])}.enc`;
  const bytes = readFileSync(path);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const { code, stdout } = await vault.run(['key', 'rotate', '--json']);
  expect(code).toBe(3);
  const [, problem, summary] = parseLines(stdout);
  expect(problem).toMatchObject({
    type: 'problem',
    kind: 'damaged',
    path: `files/${String(file?.['id'])}.enc`,
  });
  expect(summary).toMatchObject({ rewrapped: 0, problems: 1, finished: true });
});
