import { SecretKey } from '@coffer/crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { SlotSecret } from '../../src/slots/slot.ts';
import { repairVaultFile } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { TestFolder, newKeyfile } from '../support.ts';
import { KillMoment } from './kill-moment.ts';

interface Outcome {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Steps {
  readonly stepCount: number;
  readonly writes: readonly number[];
}

const CHILD = join(import.meta.dirname, 'replace-slot-child.ts');

/** Runs the change in a process of its own. With `killAfterMs` it is killed from outside, so long after it was told to begin. */
async function runChild(args: readonly string[], killAfterMs?: number): Promise<Outcome> {
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_, signal) => {
      resolve(signal);
    });
  });
  if (killAfterMs !== undefined) {
    await once(child.stdout, 'data');
    child.stdin.write('go');
    if (killAfterMs > 0) await Promise.race([ended, delay(killAfterMs)]);
    child.kill('SIGKILL');
  }
  return { signal: await ended, stdout, stderr };
}

interface Sample {
  readonly template: TestFolder;
  readonly rootKey: SecretKey;
  readonly oldSecret: SlotSecret & { readonly kind: 'keyfile' };
  readonly newSecret: SlotSecret & { readonly kind: 'keyfile' };
}

async function makeSample(folder: TestFolder): Promise<Sample> {
  const rootKey = SecretKey.generate();
  const oldSecret = await newKeyfile(folder, 'old');
  const newSecret = await newKeyfile(folder, 'new');
  const template = folder.sub('template');
  await createVaultFile(template.vault(), { rootKey, secret: oldSecret });
  return { template, rootKey, oldSecret, newSecret };
}

async function opens(vault: TestFolder, secret: SlotSecret): Promise<boolean> {
  try {
    const { rootKey } = await unlockVaultFile(await readVaultFile(vault.vault()), secret);
    rootKey[Symbol.dispose]();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'WRONG_KEY' });
    return false;
  }
}

/** What must hold after a crash at any moment: something opens, it is the right thing, and it heals. */
async function checkAfterCrash(vault: TestFolder, sample: Sample, isAcknowledged: boolean): Promise<string> {
  const { oldSecret, newSecret, rootKey } = sample;
  const [byOld, byNew] = [await opens(vault, oldSecret), await opens(vault, newSecret)];
  expect(byOld || byNew).toBe(true);
  if (isAcknowledged) expect([byOld, byNew]).toEqual([false, true]);
  const secret = byNew ? newSecret : oldSecret;
  const unlocked = await unlockVaultFile(await readVaultFile(vault.vault()), secret);
  expect(unlocked.rootKey.exportBytes()).toEqual(rootKey.exportBytes());
  await repairVaultFile(unlocked.file, unlocked.rootKey);
  const { vaultFile, vaultFileCopy } = vault.vault();
  expect(await readFile(vaultFile)).toEqual(await readFile(vaultFileCopy));
  expect((await readdir(vault.path)).sort()).toEqual(['vault.json', 'vault.json.bak']);
  expect(await readVaultFile(vault.vault())).toMatchObject({ warnings: [], needsRepair: false });
  expect(await opens(vault, secret)).toBe(true);
  return `${byOld ? 'old' : ''}${byNew ? 'new' : ''}`;
}

/** Whether a change of the two copies has begun and is not over. */
async function isHalfDone(vault: TestFolder): Promise<boolean> {
  const { vaultFile, vaultFileCopy } = vault.vault();
  if ((await readdir(vault.path)).length !== 2) return true;
  return !(await readFile(vaultFile)).equals(await readFile(vaultFileCopy));
}

describe('kill -9 during the change of a slot', () => {
  test(
    'at every step leaves a vault that opens with the old or the new secret',
    { timeout: 1_800_000 },
    async () => {
      await using folder = await TestFolder.make();
      const sample = await makeSample(folder);
      const { oldSecret, newSecret, template } = sample;
      const argsFor = (vault: TestFolder) => [vault.path, oldSecret.path, newSecret.path];
      const whole = folder.sub('whole');
      await cp(template.path, whole.path, { recursive: true });
      const undisturbed = await runChild([...argsFor(whole), '0', 'before']);
      expect(undisturbed).toMatchObject({ signal: null, stderr: '' });
      const { stepCount, writes } = JSON.parse(undisturbed.stdout.replace(/^done /, '')) as Steps;
      expect(stepCount).toBeGreaterThanOrEqual(10);
      expect(writes).toHaveLength(2);

      const outcomes: string[] = [];
      for (let step = 1; step <= stepCount; step += 1) {
        for (const moment of writes.includes(step) ? ['before', 'middle', 'after'] : ['before', 'after']) {
          const vault = folder.sub(`${moment}-${String(step)}`);
          await cp(template.path, vault.path, { recursive: true });
          const { signal, stdout } = await runChild([...argsFor(vault), String(step), moment]);
          expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: '' });
          outcomes.push(await checkAfterCrash(vault, sample, false));
        }
      }
      // First the old one opens, between the two renames either, then the new one; never the other way round.
      expect(outcomes.join(' ')).toMatch(/^old( old)*( oldnew)+( new)+$/);
    },
  );

  test('from outside, before it, in the middle of it and after it, leaves a vault that opens, and loses nothing that was acknowledged', async () => {
    await using folder = await TestFolder.make();
    const sample = await makeSample(folder);
    const kills = { early: 0, half: 0, late: 0 };
    const isEnough = (): boolean => kills.early >= 1 && kills.half >= 3 && kills.late >= 1;
    const moment = new KillMoment();
    for (let round = 0; round < 100 && !isEnough(); round += 1) {
      const vault = folder.sub(`round-${String(round)}`);
      await cp(sample.template.path, vault.path, { recursive: true });
      const args = [vault.path, sample.oldSecret.path, sample.newSecret.path, '0', 'outside'];
      const { stdout, stderr } = await runChild(args, moment.afterMs);
      expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^ready\n/) as string, stderr: '' });
      const isAcknowledged = stdout.includes('done');
      const isHalf = await isHalfDone(vault);
      const outcome = await checkAfterCrash(vault, sample, isAcknowledged);
      const isEarly = !isHalf && outcome === 'old';
      if (isHalf) kills.half += 1;
      else if (isEarly) kills.early += 1;
      else if (isAcknowledged) kills.late += 1;
      // What lies between is hit at several moments, from both sides.
      if (isEarly || (!isAcknowledged && kills.late === 0)) moment.later();
      else moment.earlier();
    }
    // Otherwise the kills came too early or too late to show anything.
    expect(kills).toSatisfy(isEnough);
  }, 1_800_000);
});
