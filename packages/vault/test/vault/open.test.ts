import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createKeyfile, createVault, openVault, readVaultSlots } from '../../src/index.ts';
import { CHEAP, passphrase } from '../support.ts';
import { TestVault } from './test-vault.ts';

describe('a new vault', () => {
  test('has its files, for its owner only', async () => {
    const { directory } = await TestVault.create();
    expect(
      readdirSync(directory)
        .filter((name) => !name.startsWith('data.db'))
        .sort(),
    ).toEqual(['files', 'owner.lock', 'vault.json', 'vault.json.bak']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of ['vault.json', 'vault.json.bak'])
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  });

  test('opens again with its secret, in any way a passphrase may be typed', async () => {
    const { root } = await TestVault.create();
    const directory = join(root, 'second');
    const vault = await createVault({
      directory,
      secret: passphrase('zo\u00eb knows the way'),
      argon2id: CHEAP,
    });
    const { vaultId } = vault;
    await vault.close();
    await using again = await openVault({ directory, secret: passphrase('zoe\u0308 knows the way\n') });
    expect(again.vaultId).toBe(vaultId);
    expect(again.warnings).toEqual([]);
  });

  test('is not made where there is one, nor in a folder with other files', async () => {
    const made = await TestVault.create();
    await made.vault.close();
    await expect(createVault({ directory: made.directory, secret: made.secret })).rejects.toMatchObject({
      code: 'EXISTS',
    });
    const other = made.path('other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.odt'), 'x');
    await expect(createVault({ directory: other, secret: made.secret })).rejects.toMatchObject({
      code: 'EXISTS',
    });
    expect(readdirSync(other)).toEqual(['thesis.odt']);
  });

  test('is made in a folder that is there and empty, with the folders above it', async () => {
    const made = await TestVault.create();
    const directory = made.path('a', 'b', 'c');
    await using vault = await createVault({ directory, secret: made.secret });
    expect(vault.status().files).toBe(0);
  });
});

describe('opening', () => {
  test('says what there is to be said when there is no vault', async () => {
    const { root, secret } = await TestVault.create();
    await expect(openVault({ directory: join(root, 'nowhere'), secret })).rejects.toMatchObject({
      code: 'NO_VAULT',
    });
    await expect(readVaultSlots(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'NO_VAULT' });
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
  });

  test('with a wrong key is refused', async () => {
    const made = await TestVault.create();
    await made.vault.close();
    const path = made.path('other-key');
    await createKeyfile(path);
    const opening = openVault({ directory: made.directory, secret: { kind: 'keyfile', path } });
    await expect(opening).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  test('a second time in this process is refused, and again possible after closing', async () => {
    const made = await TestVault.create();
    const { directory, secret } = made;
    await expect(openVault({ directory, secret })).rejects.toMatchObject({ code: 'IN_USE' });
    await made.reopen();
    expect(made.vault.status().files).toBe(0);
  });

  test('a second time in another process is refused', async () => {
    const { directory, secret } = await TestVault.create();
    expect(secret.kind === 'keyfile' && (await openElsewhere(directory, secret.path))).toBe('IN_USE');
  });

  test('without its database is damage, and makes no new one', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    await made.vault.close();
    rmSync(join(made.directory, 'data.db'));
    const opening = openVault({ directory: made.directory, secret: made.secret });
    await expect(opening).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(existsSync(join(made.directory, 'data.db'))).toBe(false);
  });

  test.each(['vault.json', 'vault.json.bak'])(
    'without %s works from the other copy, says so and writes it again',
    async (name) => {
      const made = await TestVault.create();
      await made.put('a.txt');
      rmSync(join(made.directory, name));
      const vault = await made.reopen();
      expect(vault.warnings.join()).toContain(name);
      expect(made.paths()).toEqual(['a.txt']);
      expect((await made.reopen()).warnings).toEqual([]);
      const [first, copy] = ['vault.json', 'vault.json.bak'].map((each) =>
        readFileSync(join(made.directory, each), 'utf8'),
      );
      expect(first).toBe(copy);
    },
  );

  test('check tells what opening has put right', async () => {
    const made = await TestVault.create();
    writeFileSync(join(made.directory, 'vault.json'), '{');
    const vault = await made.reopen();
    const codes = [];
    for await (const event of vault.check({ mode: 'quick' }))
      if (event.type === 'finding') codes.push(event.finding.code);
    expect(codes).toEqual(['VAULT_FILE_COPY']);
  });

  test('the vault.json of another vault is named, with what to do', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const other = made.path('other');
    await (await createVault({ directory: other, secret: made.secret })).close();
    await made.vault.close();
    writeFileSync(join(made.directory, 'vault.json'), readFileSync(join(other, 'vault.json')));
    const opening = openVault({ directory: made.directory, secret: made.secret });
    await expect(opening).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining('another vault') as string,
    });
    writeFileSync(join(made.directory, 'vault.json'), readFileSync(join(made.directory, 'vault.json.bak')));
    await made.reopen();
    expect(made.paths()).toEqual(['a.txt']);
  });

  test.skipIf(process.platform === 'win32')('reports modes that let others in', async () => {
    const made = await TestVault.create();
    chmodSync(made.directory, 0o755);
    const vault = await made.reopen();
    expect(vault.warnings.join()).toContain('0755');
    const codes = [];
    for await (const event of vault.check({ mode: 'quick' }))
      if (event.type === 'finding') codes.push(event.finding.code);
    expect(codes).toEqual(['LOOSE_MODE']);
  });

  test('a closed vault does nothing any more', async () => {
    const made = await TestVault.create();
    const { vault } = made;
    await vault.close();
    await vault.close();
    expect(() => vault.list()).toThrow(expect.objectContaining({ code: 'CLOSED' }) as Error);
    await expect(vault.addSlot(passphrase('x'))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('an init that was cut short', () => {
  test('can be repeated, and what it made is cleared', async () => {
    const made = await TestVault.create();
    const directory = made.path('half');
    mkdirSync(join(directory, 'files'), { recursive: true });
    for (const name of ['init.unfinished', 'data.db', 'data.db-wal', 'vault.json.bak'])
      writeFileSync(join(directory, name), 'x');
    await expect(openVault({ directory, secret: made.secret })).rejects.toMatchObject({ code: 'NO_VAULT' });
    await using vault = await createVault({ directory, secret: made.secret });
    expect(vault.warnings).toEqual([]);
    expect(readdirSync(directory)).not.toContain('init.unfinished');
  });

  test('before anything but the lock was made can be repeated', async () => {
    const made = await TestVault.create();
    const directory = made.path('begun');
    mkdirSync(directory);
    writeFileSync(join(directory, 'owner.lock'), '');
    await using vault = await createVault({ directory, secret: made.secret });
    expect(vault.warnings).toEqual([]);
  });

  test('after its vault.json was there is a vault', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    writeFileSync(join(made.directory, 'init.unfinished'), '');
    await made.vault.close();
    await expect(createVault({ directory: made.directory, secret: made.secret })).rejects.toMatchObject({
      code: 'EXISTS',
    });
    await made.reopen();
    expect(made.paths()).toEqual(['a.txt']);
    expect(readdirSync(made.directory)).not.toContain('init.unfinished');
  });
});

const CHILD = fileURLToPath(new URL('vault-child.ts', import.meta.url));

/** Opens a vault in a process of its own. Returns what it said. */
async function openElsewhere(directory: string, keyfile: string): Promise<string> {
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, directory, keyfile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const piece of child.stdout) said += String(piece);
  return said.trim();
}
