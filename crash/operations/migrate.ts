import { readdirSync, rmSync } from 'node:fs';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { openKeyedConnection } from '../../packages/database/src/keyed-connection.ts';
import { migrate } from '../../packages/database/src/migrate.ts';
import { MIGRATIONS } from '../../packages/database/src/migrations/migrations.ts';
import { vaultPaths } from '../../packages/vault/src/index.ts';
import { readVaultFile } from '../../packages/vault/src/vault-file/read.ts';
import { unlockVaultFile } from '../../packages/vault/src/vault-file/unlock.ts';
import type { Stage } from '../stage.ts';
import type { Operation } from './operation.ts';

/** A vault without files, whose database has the schema before the last migration. Opening it runs that migration. */
async function putBackSchema(stage: Stage): Promise<void> {
  const paths = vaultPaths(stage.vault);
  for (const name of readdirSync(paths.files)) rmSync(join(paths.files, name));
  rmSync(paths.database);
  closeSync(openSync(paths.database, 'wx', 0o600));
  const { rootKey } = await unlockVaultFile(await readVaultFile(paths), stage.secret('owner'));
  using databaseKey = rootKey.derive('coffer/database/v1');
  const connection = openKeyedConnection(paths.database, databaseKey.exportBytes());
  migrate(connection, MIGRATIONS.slice(0, -1));
  connection.close();
  rootKey[Symbol.dispose]();
}

export const migrateOperation: Operation = {
  startsWith: {},
  prepare: putBackSchema,
  run: () => Promise.resolve(),
};
