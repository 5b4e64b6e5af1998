import { createHash, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createRecoveryCode } from '../../src/index.ts';
import type { SlotSecret, Vault } from '../../src/index.ts';
import { expectNowhere, expectOpensNothing, stealRootKey, wrappedKeys } from './rotation.ts';
import { TestVault, all } from './test-vault.ts';

/** `COFFER_ROTATE_POINTS=1000 vitest run --project vault rotate-crash` for more of them. */
const POINTS = Number(process.env['COFFER_ROTATE_POINTS'] ?? 20);
const SEED = Number(process.env['COFFER_ROTATE_SEED'] ?? 20_261_124);
const CHILD = fileURLToPath(new URL('rotate-child.ts', import.meta.url));

test(`kill -9 at ${String(POINTS)} seeded points of rotations: the old secret opens the vault or the new one, and every file is whole`, async () => {
  const random = seeded(SEED);
  const made = await TestVault.create();
  const { directory } = made;
  const contents = new Map<string, string>();
  const put = async (path: string, size: number): Promise<void> => {
    const content = randomBytes(size);
    contents.set(path, sha256(content));
    await made.put(path, content);
  };
  await put('small', 2_000);
  for (let number = 0; number < 5; number += 1) await put(`sealed-${String(number)}`, 110_000 + number);
  await put('large', 1_800_000);
  let code = createRecoveryCode();
  await made.vault.replaceRecoveryCode(code);
  await made.vault.close();

  const states = new Map<string, number>();
  let old = { root: await stealRootKey(directory, made.secret), wrapped: wrappedKeys(directory), epoch: 1 };
  // Where a rotation is after so long depends on the machine: there are more kills until one was where it matters.
  const isEnough = (): boolean => states.has('none') && states.has('headers');
  for (let point = 0; point < POINTS || (!isEnough() && point < 5 * POINTS); point += 1) {
    const where = `point ${String(point)}`;
    const newCode = createRecoveryCode();
    const reseal = point % 3 === 2 ? 'reseal' : '';
    const path = made.secret.kind === 'keyfile' ? made.secret.path : '';
    const args = [directory, path, Buffer.from(newCode).toString(), reseal];
    const said = await runAndKill(args, 1 + Math.floor(random() * 14), random() * 15);
    expect(said[0], `${where}: the child did not start`).toBe('open');
    for (const line of said) {
      const [what, name = '', hash = ''] = line.split(' ');
      if (what === 'saved') contents.set(name, hash);
    }

    const codes = await opening(directory, [code, newCode]);
    expect(
      codes.length,
      `${where}: neither the old nor the new recovery code opens the vault`,
    ).toBeGreaterThan(0);
    // What was said to be there is there.
    if (said.includes('slots')) expect(codes, where).toContainEqual(newCode);
    const vault = await made.reopen();
    const { rotation, keyEpoch } = vault.status();
    states.set(rotation, (states.get(rotation) ?? 0) + 1);
    for (const [name, hash] of contents) expect(await hashOf(vault, name), `${where}: ${name}`).toBe(hash);
    // Which one is left after the opening has made both copies the same.
    [code = newCode] = await opening(directory, [newCode, code]);

    // Mostly the next child goes on with it.
    if (rotation !== 'none' && point % 4 === 3) {
      await all(vault.resumeRotation());
      // What the opening after the kill has put right is told, once; a kill between the two copies leaves no more than that.
      const found = (await all(vault.check())).filter((event) => event.type === 'finding');
      expect(found.filter(({ finding }) => finding.code !== 'VAULT_FILE_COPY')).toEqual([]);
    }
    const isDone = ['none', 'reseal'].includes(vault.status().rotation);
    await keepFew(vault, contents);
    await vault.close();
    if (!isDone || keyEpoch === old.epoch) continue;
    await expectOpensNothing(directory, old.root);
    expectNowhere(directory, old.wrapped);
    old.root[Symbol.dispose]();
    old = {
      root: await stealRootKey(directory, made.secret),
      wrapped: wrappedKeys(directory),
      epoch: keyEpoch,
    };
  }
  old.root[Symbol.dispose]();
  const vault = await made.reopen();
  if (vault.status().rotation !== 'none') await all(vault.resumeRotation());
  const findings = await all(vault.check());
  expect(findings.filter((event) => event.type === 'finding')).toEqual([]);
  expect(made.paths()).toEqual(expect.arrayContaining([...contents.keys()]));
  expect([...states]).toSatisfy(isEnough);
}, 1_800_000);

/** Runs the child until it has said `lines` lines and `delayMs` more have passed, then kills it. Returns what it said. */
async function runAndKill(args: readonly string[], lines: number, delayMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const said: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length >= lines && timer === undefined) timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
  }
  clearTimeout(timer);
  // It has the vault until it has ended.
  const [exitCode] = (await closed) as [number | null];
  expect(exitCode ?? 0, 'the child failed by itself').toBe(0);
  return said;
}

/** Those of the codes that open the vault now. */
async function opening(directory: string, codes: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>[]> {
  const opens: Uint8Array<ArrayBuffer>[] = [];
  for (const code of codes) {
    const secret: SlotSecret = { kind: 'recovery', code };
    try {
      (await stealRootKey(directory, secret))[Symbol.dispose]();
      opens.push(new Uint8Array(code));
    } catch (error) {
      expect(error).toMatchObject({ code: 'WRONG_KEY' });
    }
  }
  return opens;
}

/** So that the last rounds are as quick as the first. */
async function keepFew(vault: Vault, contents: Map<string, string>): Promise<void> {
  const names = [...contents.keys()].filter((name) => name.startsWith('saved-'));
  if (names.length < 8) return;
  await all(vault.removePaths(names));
  for (const name of names) contents.delete(name);
}

async function hashOf(vault: Vault, item: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of vault.read(item)) hash.update(piece);
  return hash.digest('hex');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Small deterministic random numbers (mulberry32), so that a failing run can be repeated with its seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
