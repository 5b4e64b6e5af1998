import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { FindingCode } from '@coffer/vault';
import { expect } from 'vitest';
import { COFFER } from './coffer.ts';
import { flip, namesIn } from './damaged-vault.ts';
import type { DamagedVault } from './damaged-vault.ts';

export const LARGE = "my docs/it's large.bin";
const ID = '0123456789abcdef0123456789abcdef';
const PAGE_SIZE_BYTES = 4096;

/** A damage, done for real, and what has to be found of it. */
export interface FindingCase {
  /** Does the damage for real. */
  readonly damage: (vault: DamagedVault) => Promise<void> | void;
  readonly by: 'check' | 'doctor';
  /** What it is said to be about: a path in the vault, or, with `vault/` before it, in the vault's folder. */
  readonly item: string | ((vault: DamagedVault) => string);
  /** Whether it is known since when. */
  readonly hasSince: boolean;
  /** What else the same damage is; nothing else is found. */
  readonly beside?: readonly FindingCode[];
  /** What mending turns it into. */
  readonly left?: readonly FindingCode[];
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

export const FINDING_CASES: Readonly<Partial<Record<FindingCode, FindingCase>>> = {
  FILE_MISSING: {
    by: 'doctor',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      rmSync(await sealedOf(vault));
    },
  },
  FILE_TRUNCATED: {
    by: 'doctor',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      truncateSync(await sealedOf(vault), 9000);
    },
  },
  FILE_EXTENDED: {
    by: 'doctor',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      appendFileSync(await sealedOf(vault), 'x');
    },
  },
  FILE_SWAPPED: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      copyFileSync(await vault.sealedPath('other.bin'), await sealedOf(vault));
    },
  },
  HEADER_DAMAGED: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      flip(await sealedOf(vault), 60);
    },
  },
  HEADER_UNSUPPORTED: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      flip(await sealedOf(vault), 8);
    },
  },
  KEY_EPOCH_UNKNOWN: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      flip(await sealedOf(vault), 31);
    },
  },
  SEGMENT_DAMAGED: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    damage: async (vault) => {
      flip(await sealedOf(vault), 9000);
    },
  },
  HEADER_LEFT_OVER: {
    by: 'check',
    item: LARGE,
    hasSince: false,
    damage: async (vault) => {
      flip(await sealedOf(vault), 4096 + 10);
    },
  },
  BLOB_DAMAGED: {
    by: 'check',
    item: 'my docs/small.txt',
    hasSince: true,
    beside: ['PAGE_DAMAGED', 'DATABASE_DAMAGED'],
    left: ['BLOB_MISSING'],
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), -5 * PAGE_SIZE_BYTES + 100);
    },
  },
  ROW_DAMAGED: {
    by: 'check',
    item: LARGE,
    hasSince: true,
    // Of all files: their rows are on one page.
    beside: ['PAGE_DAMAGED', 'DATABASE_DAMAGED', 'ROW_DAMAGED', 'ROW_DAMAGED'],
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), 2 * PAGE_SIZE_BYTES + 100);
    },
  },
  // Which page is whose, where no row is.
  PAGE_DAMAGED: {
    by: 'check',
    item: 'data.db',
    hasSince: true,
    beside: ['DATABASE_DAMAGED'],
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), PAGE_SIZE_BYTES + 100);
    },
  },
  // An index.
  DATABASE_DAMAGED: {
    by: 'check',
    item: 'data.db',
    hasSince: true,
    beside: ['PAGE_DAMAGED'],
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), 4 * PAGE_SIZE_BYTES + 100);
    },
  },
  FOLDER_DAMAGED: {
    by: 'doctor',
    item: 'vault/files',
    hasSince: true,
    damage: (vault) => {
      renameSync(join(vault.vault, 'files'), vault.path('gone'));
      writeFileSync(join(vault.vault, 'files'), 'not a folder', { mode: 0o600 });
    },
  },
  FILE_UNREFERENCED: {
    by: 'doctor',
    item: `vault/files/${ID}.enc`,
    hasSince: true,
    left: ['QUARANTINED'],
    damage: async (vault) => {
      copyFileSync(await sealedOf(vault), join(vault.vault, 'files', `${ID}.enc`));
    },
  },
  FILE_LEFT_OVER: {
    by: 'doctor',
    item: `vault/files/${ID}.enc.tmp`,
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'files', `${ID}.enc.tmp`), 'x');
    },
  },
  NAME_UNKNOWN: {
    by: 'doctor',
    item: 'vault/files/a photo; rm -rf.jpg',
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'files', 'a photo; rm -rf.jpg'), 'x');
    },
  },
  VAULT_FILE_COPY: {
    by: 'doctor',
    item: 'vault/vault.json.bak',
    hasSince: false,
    isSeenClosed: true,
    damage: (vault) => {
      rmSync(join(vault.vault, 'vault.json.bak'));
    },
  },
  VAULT_FILE_FOREIGN: {
    by: 'doctor',
    item: 'vault/vault.json.bak',
    hasSince: false,
    damage: (vault) => {
      copyFileSync(vault.path('second', 'vault.json'), join(vault.vault, 'vault.json.bak'));
    },
  },
  VAULT_FILE_LOST: {
    by: 'doctor',
    item: 'vault/vault.json',
    hasSince: false,
    damage: (vault) => {
      for (const name of ['vault.json', 'vault.json.bak']) writeFileSync(join(vault.vault, name), '{');
    },
  },
  LOOSE_MODE: {
    by: 'doctor',
    item: 'vault/data.db',
    hasSince: false,
    damage: (vault) => {
      chmodSync(join(vault.vault, 'data.db'), 0o644);
    },
  },
  DATABASE_MISSING: {
    by: 'doctor',
    item: 'vault/data.db',
    hasSince: false,
    damage: (vault) => {
      // What was written last to another database would be put into the one of the backup.
      copyFileSync(join(vault.vault, 'data.db'), join(vault.vault, 'data.db-wal'));
      rmSync(join(vault.vault, 'data.db'));
    },
  },
  DATABASE_FOREIGN: {
    by: 'doctor',
    item: 'vault/data.db',
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'data.db'), `SQLite format 3\0${'x'.repeat(8192)}`);
    },
  },
  NOT_CLOSED: {
    by: 'doctor',
    item: 'vault/data.db-wal',
    hasSince: true,
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
      // What it had not read yet fails to be written.
      child.stdin.on('error', () => undefined);
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  },
  IN_USE: {
    by: 'doctor',
    item: 'vault',
    hasSince: false,
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
    item: 'vault/owner.lock',
    hasSince: true,
    damage: (vault) => {
      rmSync(join(vault.vault, 'owner.lock'));
      symlinkSync(vault.path('somewhere'), join(vault.vault, 'owner.lock'));
    },
  },
  LINKED: {
    by: 'doctor',
    item: 'vault/files',
    hasSince: true,
    damage: (vault) => {
      renameSync(join(vault.vault, 'files'), vault.path('elsewhere'));
      symlinkSync(vault.path('elsewhere'), join(vault.vault, 'files'));
    },
  },
  PLACE_TAKEN: {
    by: 'check',
    item: 'vault/quarantine',
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'quarantine'), 'not a folder');
    },
  },
  RESERVE_MISSING: {
    by: 'doctor',
    item: 'vault/data.db.reserve',
    hasSince: false,
    isSeenClosed: true,
    damage: (vault) => {
      rmSync(join(vault.vault, 'data.db.reserve'));
    },
  },
  WRITE_LEFT_OVER: {
    by: 'doctor',
    item: 'vault/data.db.new',
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, 'data.db.new'), 'x');
    },
  },
  FOREIGN_FILE: {
    by: 'doctor',
    item: "vault/it's mine.txt",
    hasSince: true,
    damage: (vault) => {
      writeFileSync(join(vault.vault, "it's mine.txt"), 'x');
    },
  },
  INIT_UNFINISHED: {
    by: 'doctor',
    item: 'vault',
    hasSince: false,
    damage: (vault) => {
      rmSync(vault.vault, { recursive: true });
      rmSync(vault.keyfile);
      mkdirSync(vault.vault, { mode: 0o700 });
      writeFileSync(join(vault.vault, 'init.unfinished'), '');
    },
  },
  RESTORE_UNFINISHED: {
    by: 'doctor',
    item: 'vault',
    hasSince: false,
    damage: (vault) => {
      const { vaultId } = JSON.parse(readFileSync(join(vault.backup, 'backup.json'), 'utf8')) as {
        readonly vaultId: string;
      };
      rmSync(vault.vault, { recursive: true });
      mkdirSync(vault.vault, { mode: 0o700 });
      writeFileSync(join(vault.vault, 'restore.unfinished'), vaultId);
    },
  },
  CLOCK_WRONG: {
    by: 'doctor',
    item: 'the clock',
    hasSince: false,
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
    item: 'vault/quarantine',
    hasSince: true,
    damage: async (vault) => {
      mkdirSync(join(vault.vault, 'quarantine'), { mode: 0o700 });
      copyFileSync(await sealedOf(vault), join(vault.vault, 'quarantine', `${ID}.enc`));
    },
    before: (vault) => vault.must(['quarantine', 'drop', ID, '-y']),
  },
  DELETION_PENDING: {
    by: 'doctor',
    item: (vault) => sealedItems.get(vault) ?? '',
    beside: ['FILE_UNREFERENCED'],
    hasSince: true,
    damage: async (vault) => {
      const path = await sealedOf(vault);
      sealedItems.set(vault, relative(vault.folder, path));
      rmSync(path);
      mkdirSync(path);
      expect((await vault.run(['rm', LARGE])).code).not.toBe(0);
      holding.set(vault, () => {
        rmdirSync(path);
      });
    },
    before: async (vault) => holding.get(vault)?.(),
  },
  DATABASE_UNREADABLE: {
    by: 'doctor',
    item: 'vault',
    hasSince: false,
    left: ['DATABASE_KEPT'],
    damage: (vault) => {
      flip(join(vault.vault, 'data.db'), 100);
    },
  },
  DATABASE_KEPT: {
    by: 'doctor',
    item: 'vault/data.db.damaged',
    hasSince: true,
    damage: async (vault) => {
      flip(join(vault.vault, 'data.db'), 100);
      await vault.run(['doctor', '--rebuild']);
    },
  },
  NOT_OPENED: {
    by: 'doctor',
    item: 'vault',
    hasSince: false,
    damage: (vault) => {
      copyFileSync(vault.path('second', 'data.db'), join(vault.vault, 'data.db'));
    },
    before: (vault) => {
      copyFileSync(join(vault.backup, 'data.db'), join(vault.vault, 'data.db'));
    },
    isForPeople: true,
  },
};

const holding = new Map<DamagedVault, () => Promise<void> | void>();
const sealedItems = new Map<DamagedVault, string>();

function findTemporary(vault: DamagedVault): boolean {
  return namesIn(join(vault.vault, 'files')).some((name) => name.endsWith('.tmp'));
}
