/*
 * Makes the sample vaults of a format version (vectors/vaults/README.md):
 *
 *   node --conditions=@coffer/source packages/vault/scripts/make-sample-vaults.ts vectors/vaults/v2
 *
 * Those that are committed stay as they are: later versions have to open what earlier ones made. So the folder must not be there yet.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createKeyfile, createRecoveryCode, createVault } from '../src/index.ts';
import type { FileEntry, KeptSlot, SlotSecret, Vault } from '../src/index.ts';

const [, , target] = process.argv;
if (target === undefined) throw new Error('the folder to make is not given');
const folder = resolve(target);

const PASSPHRASE = 'Grüße an alle, die später kommen 🗝';
/** The least that the format allows: opening a sample should not cost a second. */
const CHEAP = { memoryKiB: 19_456, passes: 2, parallelism: 1 };

const encoder = new TextEncoder();

interface SampleFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly tags?: readonly string[];
}

/** Bytes that do not repeat, and are the same each time. */
function content(name: string, sizeBytes: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(sizeBytes / 32) }, (_, index) =>
    createHash('sha256')
      .update(`${name} ${String(index)}`)
      .digest(),
  );
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, sizeBytes));
}

const FILES: readonly SampleFile[] = [
  { path: 'hello.txt', content: encoder.encode('hello'), tags: ['greeting', 'ünïcode 🗝'] },
  { path: 'empty', content: new Uint8Array() },
  { path: 'papers/2026/Grüße 🗝.txt', content: encoder.encode('Grüße') },
  { path: 'papers/two\nlines and a \\', content: encoder.encode('a name that needs care') },
  { path: 'papers/several pages.bin', content: content('several pages', 20_000), tags: ['greeting'] },
  { path: 'sealed/one segment.bin', content: content('one segment', 102_400), tags: ['large'] },
];

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function fill(vault: Vault): Promise<readonly FileEntry[]> {
  const added: FileEntry[] = [];
  for (const { path, content: bytes, tags = [] } of FILES) {
    const slash = path.lastIndexOf('/');
    const event = await vault.addStream(stream(bytes), {
      name: path.slice(slash + 1),
      folder: path.slice(0, Math.max(0, slash)),
      tags,
    });
    if (event.type !== 'added') throw new Error(`${path}: ${event.type}`);
    added.push(event.file);
  }
  return added;
}

async function makeVault(name: string, secrets: readonly SlotSecret[]): Promise<Vault> {
  const [first, ...others] = secrets;
  if (first === undefined) throw new Error('a vault needs a secret');
  const vault = await createVault({ directory: join(folder, name), secret: first, argon2id: CHEAP });
  for (const secret of others) {
    if (secret.kind === 'recovery') await vault.replaceRecoveryCode(secret.code);
    else await vault.addSlot(secret, { argon2id: CHEAP, label: `the ${secret.kind}` });
  }
  return vault;
}

/** What goes with a vault is on this machine alone, and made again at its first opening. */
function removeMachineFiles(name: string): void {
  for (const file of ['owner.lock', 'data.db.reserve']) rmSync(join(folder, name, file), { force: true });
}

mkdirSync(folder);
const keyfile = join(folder, 'keyfile');
await createKeyfile(keyfile);
const codes = { old: createRecoveryCode(), new: createRecoveryCode() };
const passphrase: SlotSecret = { kind: 'passphrase', passphrase: encoder.encode(PASSPHRASE) };
const secrets: readonly SlotSecret[] = [
  passphrase,
  { kind: 'keyfile', path: keyfile },
  { kind: 'recovery', code: codes.old },
];
const expected: Record<string, unknown> = {};

{
  await using vault = await makeVault('fresh', secrets);
  expected['fresh'] = { vaultId: vault.vaultId, keyEpoch: 1, slots: vault.slots(), files: await fill(vault) };
}
removeMachineFiles('fresh');

{
  await using vault = await makeVault('rotating', secrets);
  const files = await fill(vault);
  const keep = vault.slots().map(({ id: slotId, kind }): KeptSlot => {
    const secret = secrets.find((each) => each.kind === kind) ?? passphrase;
    return { slotId, secret: kind === 'recovery' ? { kind, code: codes.new } : secret };
  });
  // Left as a loss of power leaves it: the new slots are in place, everything else is still under the old root key.
  for await (const event of vault.rotate({ keep })) if (event.type === 'slots') break;
  expected['rotating'] = { vaultId: vault.vaultId, keyEpoch: 2, slots: vault.slots(), files };
}
removeMachineFiles('rotating');

writeFileSync(join(folder, 'passphrase.txt'), `${PASSPHRASE}\n`);
for (const [name, code] of Object.entries({ fresh: codes.old, rotating: codes.new })) {
  writeFileSync(join(folder, `recovery-code-${name}.txt`), Buffer.concat([code, encoder.encode('\n')]));
}
writeFileSync(join(folder, 'expected.json'), `${JSON.stringify(expected, undefined, 1)}\n`);
console.log(`made ${folder}; commit it, and change it no more`);
