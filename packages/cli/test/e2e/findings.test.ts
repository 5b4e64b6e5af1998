import { FINDING_KINDS, type FindingCode } from '@coffer/vault';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DamagedVault, flip } from '../support/damaged-vault.ts';
import { parseLines } from '../support/run-main.ts';
import { FINDING_CASES, LARGE } from '../support/finding-cases.ts';

// Mending runs real processes.

/** Made for real by tests that have what it takes. */
const ELSEWHERE: Partial<Record<FindingCode, string>> = {
  FILE_UNREADABLE: 'cli/test/e2e/unreadable.test.ts',
  HASH_MISMATCH: 'storage/test/wrong-rows.test.ts',
  BLOB_MISSING: 'storage/test/wrong-rows.test.ts',
  NOT_CHECKED: 'storage/test/disk-full.test.ts',
  SHREDDING_PENDING: 'vault/test/vault/full-disk.test.ts',
  SPACE_LOW: 'vault/test/vault/full-disk.test.ts',
  NOT_WRITABLE: 'vault/test/vault/read-only.test.ts',
  ROLLED_BACK: 'vault/test/rollback',
  RUNTIME_UNSUPPORTED: 'vault/test/vault/doctor.test.ts',
};

let template: DamagedVault;
beforeAll(async () => {
  template = await DamagedVault.makeTemplate();
});
afterAll(() => {
  template[Symbol.dispose]();
});

test('every kind of finding has a test', () => {
  expect([...Object.keys(FINDING_CASES), ...Object.keys(ELSEWHERE)].toSorted()).toEqual(
    Object.keys(FINDING_KINDS).toSorted(),
  );
});

test('a healthy vault has no finding, opened or not', async () => {
  using vault = template.copy();
  expect(await vault.findings(['check'])).toEqual([]);
  expect((await vault.run(['doctor'])).code).toBe(0);
  const unopened = await vault.run(['doctor', '--json'], { env: { COFFER_KEYFILE: '' } });
  expect([unopened.code, unopened.stdout]).toEqual([0, expect.stringContaining('"findings":0') as string]);
  expect(unopened.stdout).toContain('"opened":false');
});

describe('is found, nothing else is, with what it is about, what it costs and the command that mends it:', () => {
  test.each(Object.entries(FINDING_CASES))(
    '%s',
    async (code, { damage, by, item, hasSince, beside = [], ...rest }) => {
      const { before, isForPeople = false, isSeenClosed = false, left = [] } = rest;
      using vault = template.copy();
      const startMs = Date.now();
      await damage(vault);
      const options = isSeenClosed ? { env: { COFFER_KEYFILE: '' } } : {};
      const found = await vault.findings([by], options);
      expect(found.map((each) => each['code']).toSorted()).toEqual([code, ...beside].toSorted());
      const about = typeof item === 'string' ? item : item(vault);
      const where = /^vault(?:$|\/)/.test(about) ? vault.path(about) : about;
      const finding = found.find((each) => each['code'] === code && each['item'] === where);
      expect(
        finding,
        `nothing is about ${where}, but ${found.map((each) => String(each['item'])).join()}`,
      ).toBeDefined();
      for (const field of ['message', 'cost', 'remedy', 'mend']) expect(finding?.[field]).toMatch(/./);
      if (hasSince) {
        // Times of files are a little behind.
        expect(finding?.['sinceMs']).toBeGreaterThanOrEqual(startMs - 1000);
        expect(finding?.['sinceMs']).toBeLessThanOrEqual(Date.now());
      } else {
        expect(finding).not.toHaveProperty('sinceMs');
      }
      await before?.(vault);
      if (!isForPeople) {
        const { code: exit, stderr } = await vault.shell(String(finding?.['mend']));
        expect([0, 30], stderr).toContain(exit);
      }
      expect((await vault.findings([by], options)).map((each) => each['code'])).toEqual(left);
    },
  );
});

test('what is damaged is said to be so since it was first noticed, not since it was last looked at', async () => {
  using vault = template.copy();
  flip(await vault.sealedPath(LARGE), 9000);
  const [first] = await vault.findings(['check']);
  await expect.poll(() => Date.now()).toBeGreaterThan(Number(first?.['sinceMs']));
  expect(await vault.findings(['check'])).toEqual([first]);
});

test('the command that mends a damaged file leaves no plaintext behind, and the file with its tags, type and time', async () => {
  using vault = template.copy();
  await vault.must(['tag', LARGE, 'kept', "it's mine"]);
  const [before] = parseLines((await vault.run(['info', LARGE, '--json'])).stdout);
  flip(await vault.sealedPath(LARGE), 9000);
  const [found] = await vault.findings(['check']);
  expect(found?.['mend']).toContain(' | ');
  const { code, stderr } = await vault.shell(String(found?.['mend']));
  expect(code, stderr).toBe(0);
  const [after] = parseLines((await vault.run(['info', LARGE, '--json'])).stdout);
  expect(after).toEqual({ ...before, id: after?.['id'], createdAtMs: after?.['createdAtMs'] });
  expect(after?.['id']).not.toBe(before?.['id']);
  expect(readdirSync(vault.path('cwd'))).toEqual([]);
  expect((await vault.run(['check'])).code).toBe(0);
});

test('the command that mends a damaged file leaves it as it is when the backup cannot give all of it', async () => {
  using vault = template.copy();
  const sealed = await vault.sealedPath(LARGE);
  flip(sealed, 290_000);
  flip(sealed.replace(vault.vault, vault.backup), 290_000);
  const [before] = await vault.findings(['check']);
  const { code, stderr } = await vault.shell(String(before?.['mend']));
  expect([code, stderr]).toEqual([14, expect.stringContaining('SHA-256') as string]);
  expect(await vault.findings(['check'])).toEqual([before]);
});
