/*
 * Writes databases with a standard SQLCipher 4, for vectors/discordopus/make.py:
 *
 *   node --conditions=@coffer/source packages/database/scripts/write-foreign.ts PLAN.json
 *
 * Opt-in, since it needs the network: see standard-sqlcipher.ts.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { installSqlCipher } from './standard-sqlcipher.ts';

interface PlannedDatabase {
  readonly path: string;
  /** A passphrase, or `x'…'`. */
  readonly key: string;
  readonly sql: string;
  /** Leave everything in the write-ahead log, as a program that was killed does. */
  readonly leaveLog: boolean;
}

const [, , planPath] = process.argv;
if (planPath === undefined) throw new Error('the plan is not given');
const plan = JSON.parse(readFileSync(planPath, 'utf8')) as PlannedDatabase[];
const folder = mkdtempSync(join(tmpdir(), 'coffer-sqlcipher-'));
try {
  const StandardSqlCipher = installSqlCipher(folder);
  for (const [index, { path, key, sql, leaveLog }] of plan.entries()) {
    const temporary = join(folder, `${String(index)}.db`);
    const database = new StandardSqlCipher(temporary);
    database.pragma(`key = "${key}"`, { simple: true });
    database.pragma(`journal_mode = ${leaveLog ? 'WAL' : 'DELETE'}`, { simple: true });
    database.pragma('wal_autocheckpoint = 0', { simple: true });
    database.exec(sql);
    const version = String(database.pragma('cipher_version', { simple: true }));
    if (leaveLog) {
      copyFileSync(temporary, path);
      copyFileSync(`${temporary}-wal`, `${path}-wal`);
    }
    database.close();
    if (!leaveLog) copyFileSync(temporary, path);
    console.log(`SQLCipher ${version} wrote ${path}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
