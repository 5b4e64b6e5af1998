import { closeSync, cpSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ended, startCoffer } from '../support/coffer.ts';
import { TestVault } from '../support/test-vault.ts';
import { parseLines } from '../support/run-main.ts';

const VECTORS = join(import.meta.dirname, '../../../../vectors/discordopus');
const FROM = ['import', '--from', 'discordopus'];
const DATABASE_KEY = ['--database-key-file', join(VECTORS, 'database.key')];
const FERNET_KEY = ['--fernet-key-file', join(VECTORS, 'fernet.key')];
const KEYS = [...DATABASE_KEY, ...FERNET_KEY];

test('import --from discordopus adds what is whole, names what is not, and exits 3', async () => {
  using vault = await TestVault.create();
  const old = vault.path('old');
  cpSync(join(VECTORS, 'app'), old, { recursive: true });
  const { code, stdout, stderr } = await vault.run([...FROM, old, ...KEYS, '--into', 'old']);
  expect(code).toBe(3);
  expect(stdout.split('\n')).toContain('old/Grüße 🗝.bin');
  expect(stderr).toContain(
    'coffer: error: flipped (0000001f-0000-4000-8000-000000000000): its token does not open',
  );
  expect(stderr).toMatch(
    /\nAdded 23 files, .*; left out 1 file that the vault has already; 1 file had no hash to be checked by; 16 sources not added\.\n$/,
  );
  expect((await vault.run(['check'])).code).toBe(0);
});

test('import --from discordopus reads both keys from descriptors of its process', async () => {
  using vault = await TestVault.create();
  const keys = ['database.key', 'fernet.key'].map((name) => openSync(join(VECTORS, name), 'r'));
  const child = startCoffer(
    [...FROM, join(VECTORS, 'log'), '--database-key-fd', '3', '--fernet-key-fd', '4'],
    { env: vault.env, stdio: ['ignore', 'pipe', 'pipe', ...keys] },
  );
  for (const fd of keys) closeSync(fd);
  const { code, stdout, stderr } = await ended(child);
  expect([code, stdout], stderr).toEqual([0, 'one.txt\ntwo.txt\n']);
  for (const name of ['one.txt', 'two.txt']) expect((await vault.run(['cat', name])).code).toBe(0);
});

test.each([
  ['--database-key-fd', 'database.key', FERNET_KEY],
  ['--fernet-key-fd', 'fernet.key', DATABASE_KEY],
])(
  'import --from discordopus reads a key piped to %s, beside a file with the other',
  async (option, name, other) => {
    using vault = await TestVault.create();
    const { code, stdout, stderr } = await vault.run([...FROM, join(VECTORS, 'log'), option, '0', ...other], {
      input: readFileSync(join(VECTORS, name)),
    });
    expect([code, stdout], stderr).toEqual([0, 'one.txt\ntwo.txt\n']);
  },
);

test('import --from discordopus takes a passphrase from a descriptor, and writes objects with --json', async () => {
  using vault = await TestVault.create();
  const dry = await vault.run(
    [...FROM, join(VECTORS, 'passphrase'), '--database-passphrase-fd', '0', ...FERNET_KEY, '-n', '--json'],
    { input: readFileSync(join(VECTORS, 'passphrase.txt')) },
  );
  expect(parseLines(dry.stdout)).toMatchObject([
    { type: 'file', planned: true, path: 'one.txt', notes: [] },
    { type: 'file', planned: true, path: 'two.txt' },
    { type: 'summary', command: 'import', planned: 2, added: 0, skippedSame: 0, unverified: 0 },
  ]);
  const done = await vault.run([...FROM, join(VECTORS, 'log'), ...KEYS]);
  expect([done.code, done.stdout]).toEqual([0, 'one.txt\ntwo.txt\n']);
});

test.each([
  [2, [...FROM, 'x'], 'needs its key', '--database-key-file FILE'],
  [2, [...FROM, 'x', ...KEYS, '--database-key-fd', '0'], "can't be used together", ''],
  [2, [...FROM, 'x', ...KEYS, '--fernet-key-fd', '0'], "can't be used together", ''],
  [2, [...FROM, 'x', ...KEYS, '--exclude', 'y'], '--exclude is for folders', ''],
  [
    2,
    ['import', 'x', ...FERNET_KEY],
    '--fernet-key-file is for vaults of the original',
    '--from discordopus',
  ],
  [2, ['import', 'x', '--from', 'signal'], "argument 'signal' is invalid", ''],
  [15, [...FROM, 'x', '--database-key-file', '/nonexistent'], 'the key file /nonexistent is not there', ''],
  [2, [...FROM, join(VECTORS, 'app'), ...DATABASE_KEY], 'no Fernet key is given', '--fernet-key-file'],
  [
    12,
    [...FROM, join(VECTORS, 'passphrase'), ...KEYS],
    'the key does not open',
    '--database-passphrase-file',
  ],
])('exit %d: %j', async (exit, args, message, hint) => {
  using vault = await TestVault.create();
  const { code, stdout, stderr } = await vault.run(args);
  expect([code, stdout]).toEqual([exit, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
});
