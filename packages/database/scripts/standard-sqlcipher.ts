import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

/** SQLCipher 4 with OpenSSL, as Signal Desktop uses it. */
const SQLCIPHER = '@signalapp/sqlcipher@4.1.0';

/** The part of its API that is used here. */
interface SqlCipher {
  exec(sql: string): void;
  pragma(source: string, options: { simple: true }): unknown;
  prepare(sql: string): { all(): unknown[]; get(): unknown };
  close(): void;
}
type SqlCipherConstructor = new (path: string) => SqlCipher;

/**
 * Installs a standard SQLCipher into a temporary folder of the caller's, which needs the network: it is AGPL-3.0, so it is outside the lockfile and no part of
 * what is built, tested by default or published. `COFFER_SQLCIPHER` names a folder that has it in `node_modules` already.
 */
export function installSqlCipher(folder: string): SqlCipherConstructor {
  const installed = process.env['COFFER_SQLCIPHER'];
  if (installed === undefined) install(folder);
  const load = createRequire(join(installed ?? folder, 'package.json'));
  const loaded = load('@signalapp/sqlcipher') as SqlCipherConstructor | { default: SqlCipherConstructor };
  return 'default' in loaded ? loaded.default : loaded;
}

function install(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const command = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', SQLCIPHER];
  const options = { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' } as const;
  if (spawnSync('npm', command, options).status !== 0) throw new Error(`${SQLCIPHER} cannot be installed`);
}
