/**
 * Runs one operation on a stage, and says on stdout what it acknowledges. It waits for a line on stdin first, so that a tracer can be attached to
 * its threads while nothing happens.
 *
 * Arguments: operation, disk, shelf, and the names of secrets of which the first that does opens the vault
 */
import { readdirSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireOwnerLock } from '../packages/database/src/index.ts';
import { VaultError } from '../packages/vault/src/index.ts';
import type { Vault } from '../packages/vault/src/index.ts';
import { added, addAs } from './operations/filled-vault.ts';
import { haveLaterMigrations } from './operations/later-migrations.ts';
import { openStage, parseSecretName } from './operations/open-stage.ts';
import type { VaultOperation } from './operations/operation.ts';
import { operationOf } from './operations/table.ts';
import { Stage } from './stage.ts';

const [name = '', disk = '', shelf = '', ...secretNames] = process.argv.slice(2);
const operation = operationOf(name);
const stage = new Stage(disk, shelf);
haveLaterMigrations(operation);

// Synchronous, so that what was acknowledged has left this process when it dies.
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

function say(word: string): void {
  tell(`said ${word}`);
}

// Whatever is loaded or made at first use is so now: the driver of the database, the thread for asynchronous calls.
acquireOwnerLock(join(stage.tmp, 'warm-up')).release();
rmSync(join(stage.tmp, 'warm-up'));
await stat(disk);
tell(`ready ${String(poolThread() ?? '')}`);
readSync(0, Buffer.alloc(3));
try {
  await ('run' in operation ? runInVault(operation) : operation.runBare(stage, say));
  tell('done');
} catch (error) {
  tellFailure('failed', error);
}

/** After a failure the vault is still open, and must go on working: a file is added, when that is possible. */
async function runInVault({ run, secrets }: VaultOperation): Promise<void> {
  await using vault = await openWithAny(
    secretNames.length > 0 ? secretNames : (secrets?.before ?? ['owner']),
  );
  try {
    await run(vault, stage, say);
  } catch (error) {
    tellFailure('failed', error);
    try {
      await addAs(vault, stage, added('afterwards'), 'small');
      say('afterwards');
    } catch (later) {
      tellFailure('failed', later);
    }
  }
}

async function openWithAny(names: readonly string[]): Promise<Vault> {
  const [first = '', ...others] = names;
  try {
    return await openStage(stage, parseSecretName(first));
  } catch (error) {
    if (others.length === 0 || !(error instanceof VaultError) || error.code !== 'WRONG_KEY') throw error;
    return await openWithAny(others);
  }
}

function tellFailure(what: string, error: unknown): void {
  const code = error instanceof VaultError ? error.code : 'BUG';
  const text = error instanceof Error ? error.message : String(error);
  tell(`${what} ${code} ${text.replaceAll('\n', ' ')}`);
}

/** The thread of libuv that makes the asynchronous file system calls; there is one, UV_THREADPOOL_SIZE says. */
function poolThread(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const threads = readdirSync('/proc/self/task');
  const isPool = (thread: string): boolean =>
    readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').startsWith('libuv-worker');
  const thread = threads.find(isPool);
  return thread === undefined ? undefined : Number(thread);
}
