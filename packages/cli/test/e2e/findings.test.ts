import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { FINDING_KINDS, type FindingCode } from '@coffer/vault';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { COFFER } from '../support/coffer.ts';
import { DamagedVault, flip, namesIn } from '../support/damaged-vault.ts';

// Mending runs real processes.
vi.setConfig({ testTimeout: 60_000 });

const LARGE = "my docs/it's large.bin";
const ID = '0123456789abcdef0123456789abcdef';

interface Case {
  /** Does the damage for real. */
  readonly damage: (vault: DamagedVault) => Promise<void> | void;
  readonly by: 'check' | 'doctor';
  /** Done before the command that mends, or instead of it where that only shows what to do. */
  readonly before?: (vault: DamagedVault) => Promise<void> | void;
  /** The command that mends only shows or needs what is not here: a new folder, another machine. */
  readonly isForPeople?: boolean;
  /** Opening the vault would put it right. */
  readonly isSeenClosed?: boolean;
}

async function sealedOf(vault: DamagedVault): Promise<string> {
  return await vault.sealedPath(LARGE);
}

const CASES: Partial<Record<FindingCode, Case>> = {
  FILE_MISSING: {
    by: 'doctor',
    damage: async (vault) => {
      rmSync(await sealedOf(vault));
    },
  },
  FILE_TRUNCATED: {
    by: 'doctor',
    damage: async (vault) => {
      truncateSync(await sealedOf(vault), 9000);
    },
  },
  FILE_EXTENDED: {
    by: 'doctor',
    damage: async (vault) => {
      appendFileSync(await sealedOf(vault), 'x');
    },
  },
  FILE_SWAPPED: {
    by: 'check',
    damage: async (vault) => {
      copyFileSync(await vault.sealedPath('other.bin'), await sealedOf(vault));
    },
  },
  HEADER_DAMAGED: {
    by: 'check',
    damage: async (vault) => {
      flip(await sealedOf(vault), 60);
    },
  },
  HEADER_UNSUPPORTED: {
    by: 'check',
    damage: async (vault) => {
      flip(await sealedOf(vault), 8);
    },
  },
  KEY_EPOCH_UNKNOWN: {
    by: 'check',
    damage: async (vault) => {
      flip(await sealedOf(vault), 31);
    },
  },
  SEGMENT_DAMAGED: {
    by: 'check',
    damage: async (vault) => {
      flip(await sealedOf(vault), 9000);
    },
  },
  HEADER_LEFT_OVER: {
    by: 'check',
    damage: async (vault) => {
      flip(await sealedOf(vault), 4096 + 10);
    },
  },
  BLOB_DAMAGED: {
    by: 'check',
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), -5 * 4096 + 100);
    },
    // Its pages can't be freed while one of them can't be read: the database has to be restored.
    isForPeople: true,
  },
  PAGE_DAMAGED: {
    by: 'check',
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), -5 * 4096 + 100);
    },
    isForPeople: true,
  },
  DATABASE_DAMAGED: {
    by: 'check',
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), -5 * 4096 + 100);
    },
    isForPeople: true,
  },
  FOLDER_DAMAGED: {
    by: 'doctor',
    damage: (vault) => {
      renameSync(join(vault.vault, 'files'), vault.path('gone'));
      writeFileSync(join(vault.vault, 'files'), 'not a folder');
    },
  },
  FILE_UNREFERENCED: {
    by: 'doctor',
    damage: async (vault) => {
      copyFileSync(await sealedOf(vault), join(vault.vault, 'files', `${ID}.enc`));
    },
  },
  FILE_LEFT_OVER: {
    by: 'doctor',
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'files', `${ID}.enc.tmp`), 'x');
    },
  },
  NAME_UNKNOWN: {
    by: 'doctor',
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'files', 'a photo; rm -rf.jpg'), 'x');
    },
  },
  VAULT_FILE_COPY: {
    by: 'doctor',
    isSeenClosed: true,
    damage: (vault) => {
      rmSync(join(vault.vault, 'vault.json.bak'));
    },
  },
  VAULT_FILE_FOREIGN: {
    by: 'doctor',
    damage: (vault) => {
      copyFileSync(vault.path('second', 'vault.json'), join(vault.vault, 'vault.json.bak'));
    },
  },
  VAULT_FILE_LOST: {
    by: 'doctor',
    damage: (vault) => {
      for (const name of ['vault.json', 'vault.json.bak']) writeFileSync(join(vault.vault, name), '{');
    },
  },
  LOOSE_MODE: {
    by: 'doctor',
    damage: (vault) => {
      chmodSync(join(vault.vault, 'data.db'), 0o644);
    },
  },
  DATABASE_MISSING: {
    by: 'doctor',
    damage: (vault) => {
      rmSync(join(vault.vault, 'data.db'));
    },
  },
  DATABASE_FOREIGN: {
    by: 'doctor',
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'data.db'), `SQLite format 3\0${'x'.repeat(8192)}`);
    },
  },
  NOT_CLOSED: {
    by: 'doctor',
    isSeenClosed: true,
    damage: async (vault) => {
      const [node, ...args] = [...COFFER, 'add', '-', '--name', 'never'];
      const child = spawn(node, args, {
        env: { ...process.env, ...vault.env },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      // Sealing has begun, durably, when there is something to seal.
      child.stdin.write(Buffer.alloc(400_000));
      await expect.poll(() => findTemporary(vault), { timeout: 30_000 }).toBe(true);
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  },
  IN_USE: {
    by: 'doctor',
    damage: async (vault) => {
      const [node, ...args] = [...COFFER, 'add', '-', '--name', 'waiting'];
      const child = spawn(node, args, {
        env: { ...process.env, ...vault.env },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.stdin.write(Buffer.alloc(400_000));
      await expect.poll(() => findTemporary(vault), { timeout: 30_000 }).toBe(true);
      holding.set(vault, async () => {
        child.stdin.end();
        await once(child, 'close');
      });
    },
    before: async (vault) => holding.get(vault)?.(),
    isForPeople: true,
  },
  LOCK_REPLACED: {
    by: 'doctor',
    damage: (vault) => {
      rmSync(join(vault.vault, 'owner.lock'));
      symlinkSync(vault.path('somewhere'), join(vault.vault, 'owner.lock'));
    },
  },
  RESERVE_MISSING: {
    by: 'doctor',
    isSeenClosed: true,
    damage: (vault) => {
      rmSync(join(vault.vault, 'data.db.reserve'));
    },
  },
  WRITE_LEFT_OVER: {
    by: 'doctor',
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'data.db.new'), 'x');
    },
  },
  FOREIGN_FILE: {
    by: 'doctor',
    damage: (vault) => {
      writeFileSync(join(vault.vault, "it's mine.txt"), 'x');
    },
  },
  INIT_UNFINISHED: {
    by: 'doctor',
    damage: (vault) => {
      rmSync(vault.vault, { recursive: true });
      rmSync(vault.keyfile);
      mkdirSync(vault.vault);
      writeFileSync(join(vault.vault, 'init.unfinished'), '');
    },
  },
  RESTORE_UNFINISHED: {
    by: 'doctor',
    damage: (vault) => {
      rmSync(vault.vault, { recursive: true });
      mkdirSync(vault.vault);
      writeFileSync(join(vault.vault, 'restore.unfinished'), '');
    },
    isForPeople: true,
  },
  CLOCK_WRONG: {
    by: 'doctor',
    damage: (vault) => {
      const future = new Date(Date.now() + 90 * 86_400_000);
      utimesSync(join(vault.vault, 'vault.json'), future, future);
    },
    before: (vault) => {
      utimesSync(join(vault.vault, 'vault.json'), new Date(), new Date());
    },
    isForPeople: true,
  },
  QUARANTINED: {
    by: 'doctor',
    damage: async (vault) => {
      mkdirSync(join(vault.vault, 'quarantine'), { mode: 0o700 });
      copyFileSync(await sealedOf(vault), join(vault.vault, 'quarantine', `${ID}.enc`));
    },
    before: (vault) => vault.must(['quarantine', 'drop', ID, '-y']),
  },
  DELETION_PENDING: {
    by: 'doctor',
    damage: async (vault) => {
      const path = await sealedOf(vault);
      rmSync(path);
      mkdirSync(path);
      expect((await vault.run(['rm', LARGE])).code).not.toBe(0);
      holding.set(vault, () => {
        rmdirSync(path);
      });
    },
    before: async (vault) => holding.get(vault)?.(),
  },
  NOT_OPENED: {
    by: 'doctor',
    damage: (vault) => {
      copyFileSync(vault.path('second', 'data.db'), join(vault.vault, 'data.db'));
    },
    before: (vault) => {
      copyFileSync(join(vault.backup, 'data.db'), join(vault.vault, 'data.db'));
    },
    isForPeople: true,
  },
};

/** Made for real by tests that have what it takes, but for one. */
const ELSEWHERE: Partial<Record<FindingCode, string>> = {
  FILE_UNREADABLE: 'nowhere: it takes a disk that reports errors',
  HASH_MISMATCH: 'storage/test/wrong-rows.test.ts',
  BLOB_MISSING: 'storage/test/wrong-rows.test.ts',
  ROW_DAMAGED: 'storage/test/damage.test.ts',
  NOT_CHECKED: 'storage/test/disk-full.test.ts',
  SHREDDING_PENDING: 'vault/test/vault/full-disk.test.ts',
  SPACE_LOW: 'vault/test/vault/full-disk.test.ts',
  NOT_WRITABLE: 'vault/test/vault/full-disk.test.ts',
  ROLLED_BACK: 'vault/test/rollback',
  RUNTIME_UNSUPPORTED: 'vault/test/vault/doctor.test.ts',
};

const holding = new Map<DamagedVault, () => Promise<void> | void>();

function findTemporary(vault: DamagedVault): boolean {
  return namesIn(join(vault.vault, 'files')).some((name) => name.endsWith('.tmp'));
}

let template: DamagedVault;
beforeAll(async () => {
  template = await DamagedVault.makeTemplate();
}, 60_000);
afterAll(() => {
  template[Symbol.dispose]();
});

test('every kind of finding has a test', () => {
  expect([...Object.keys(CASES), ...Object.keys(ELSEWHERE)].toSorted()).toEqual(
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

describe('is found, with what it costs and the command that mends it:', () => {
  test.each(Object.entries(CASES))(
    '%s',
    async (code, { damage, by, before, isForPeople = false, isSeenClosed = false }) => {
      using vault = template.copy();
      await damage(vault);
      const options = isSeenClosed ? { env: { COFFER_KEYFILE: '' } } : {};
      const found = await vault.findings([by], options);
      const finding = found.find((each) => each['code'] === code);
      expect(found.map((each) => each['code'])).toContain(code);
      for (const field of ['item', 'message', 'cost', 'remedy', 'mend'])
        expect(finding?.[field]).toMatch(/./);
      await before?.(vault);
      if (!isForPeople) {
        const { code: exit, stderr } = await vault.shell(String(finding?.['mend']));
        expect([0, 30], stderr).toContain(exit);
      }
      if (isForPeople && before === undefined) return;
      expect((await vault.findings([by], options)).map((each) => each['code'])).not.toContain(code);
    },
  );
});
