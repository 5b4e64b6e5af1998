import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { VaultError, openVault, vaultPaths } from '../packages/vault/src/index.ts';
import { isVaultMade } from './operations/is-made.ts';
import type { FileEntry, Vault } from '../packages/vault/src/index.ts';
import { MARKER, contentOf } from './contents.ts';
import type { ContentName } from './contents.ts';
import { keychainFor } from './keyring.ts';
import { FILLED, added, everyEvent } from './operations/filled-vault.ts';
import { secretOf } from './operations/open-stage.ts';
import type { Change, Operation, SecretName } from './operations/operation.ts';
import { nameOf } from './operations/table.ts';
import type { Stage } from './stage.ts';

const CHILD = join(import.meta.dirname, 'inspect-child.ts');

export interface InspectOptions {
  /** Also read and authenticate every page and segment once more, by the vault's own full check. */
  readonly thorough: boolean;
  /** Try what opened the vault before the operation first. */
  readonly oldSecretFirst: boolean;
}

/** Of any operation: what it adds when it goes on after a failure. */
const AFTERWARDS: Change = { adds: { [added('afterwards')]: 'small' } };

/**
 * Holds what a crash has left against what was acknowledged, and throws what is wrong. The invariants:
 *
 * 1. no plaintext is on the disk, before anything is tidied up;
 * 2. the vault opens, with what the operation promises;
 * 3. every change is done or not done, an acknowledged one is done, and everything else is as it was, byte for byte;
 * 4. nothing is left over: no temporary file, no sealed file without a row, no row without its file;
 * 5. the check finds nothing, and opening once more changes nothing.
 */
export async function inspect(
  operation: Operation,
  stage: Stage,
  said: ReadonlySet<string>,
  options: InspectOptions,
): Promise<void> {
  const isHere = operation.laterMigrations === undefined && operation.usesKeychain !== true;
  await (isHere ? inspectHere : inspectElsewhere)(operation, stage, said, options);
}

/** In a process of its own, which the operation's program then is. */
async function inspectElsewhere(
  operation: Operation,
  stage: Stage,
  said: ReadonlySet<string>,
  options: InspectOptions,
): Promise<void> {
  const { disk, shelf } = stage;
  await using keychain = await keychainFor(operation, stage);
  const request = JSON.stringify({ operation: nameOf(operation), disk, shelf, said: [...said], options });
  const child = spawn(process.execPath, ['--conditions=@coffer/source', CHILD, request], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...keychain.env },
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [[exitCode], problem] = await Promise.all([ended, text(child.stderr)]);
  if (exitCode !== 0) throw new Error(problem.trim());
}

/** The same in this process. */
export async function inspectHere(
  operation: Operation,
  stage: Stage,
  said: ReadonlySet<string>,
  options: InspectOptions,
): Promise<void> {
  findPlaintext(operation, stage);
  if (await needsRepeating(operation, stage, said)) return;
  checkCopies(stage);
  const secret = await openWithAny(operation, stage, said, options.oldSecretFirst, async (vault) => {
    await checkFiles(operation, vault, said);
    await operation.inspect?.(stage, said, vault);
  });
  const settled = snapshot(stage.vault);
  {
    await using vault = await openVault({ directory: stage.vault, secret: secretOf(stage, secret) });
    const warnings = vault.warnings.filter((line) => operation.mayWarnOf?.test(line) !== true);
    if (warnings.length > 0) throw new Error(`opening again warns: ${warnings.join('; ')}`);
    checkNames(
      operation,
      stage,
      (await Promise.resolve(vault.list({ recursive: true, folder: '', limit: 10_000 }))).files,
    );
    await checkNothingFound(vault, options.thorough);
  }
  const after = snapshot(stage.vault);
  if (after !== settled) throw new Error(`opening again changed the vault:\n${settled}\nthen\n${after}`);
}

/** Contents and names, in any file and any file's name. */
function findPlaintext(operation: Operation, stage: Stage): void {
  for (const path of filesBelow(stage.disk)) {
    if (operation.restoresFiles === true && path.startsWith(stage.out)) continue;
    if (path.slice(stage.disk.length).includes(MARKER)) throw new Error(`a name in clear: ${path}`);
    if (readFileSync(path).includes(MARKER)) throw new Error(`plaintext in ${path}`);
  }
}

/** Whether there is no vault yet, which is right before it is acknowledged; making it again must work then. */
async function needsRepeating(
  operation: Operation,
  stage: Stage,
  said: ReadonlySet<string>,
): Promise<boolean> {
  if (!('runBare' in operation) || operation.makesVault === undefined) return false;
  if (isVaultMade(operation, stage)) return false;
  if (said.has(operation.makesVault.acknowledgedBy))
    throw new Error('the vault was acknowledged and is not there');
  const saidThen = new Set<string>();
  await operation.runBare(stage, (word) => saidThen.add(word));
  await inspectHere(operation, stage, saidThen, { thorough: false, oldSecretFirst: false });
  return true;
}

/** While the two copies of the key slots differ, the old and the new secret open; were `vault.json` the older one, the old secret would be refused. */
function checkCopies(stage: Stage): void {
  const { vaultFile, vaultFileCopy } = vaultPaths(stage.vault);
  const [first, copy] = [generationOf(vaultFile), generationOf(vaultFileCopy)];
  if (first !== undefined && copy !== undefined && copy > first)
    throw new Error(`vault.json (generation ${String(first)}) is behind its copy (${String(copy)})`);
}

function generationOf(path: string): number | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null || !('generation' in content)) return undefined;
    return typeof content.generation === 'number' ? content.generation : undefined;
  } catch {
    return undefined;
  }
}

/** Opens with the first secret that does, runs `look`, closes, and holds the other secrets against the promise. */
async function openWithAny(
  { secrets }: Operation,
  stage: Stage,
  said: ReadonlySet<string>,
  oldSecretFirst: boolean,
  look: (vault: Vault) => Promise<void>,
): Promise<SecretName> {
  const before = secrets?.before ?? ['owner'];
  const after = secrets?.after ?? ['owner'];
  const isDone = secrets !== undefined && said.has(secrets.acknowledgedBy);
  const either = oldSecretFirst ? [...before, ...after] : [...after, ...before];
  const candidates = [...new Set(isDone ? after : either)];
  let opened: SecretName | undefined;
  for (const candidate of candidates) {
    await using vault = await openUnlessWrong(stage, candidate);
    if (vault === undefined) continue;
    opened ??= candidate;
    await look(vault);
    break;
  }
  if (opened === undefined) throw new Error(`none of ${candidates.join(', ')} opens the vault`);
  if (isDone) {
    for (const gone of before.filter((name) => !after.includes(name))) {
      await using vault = await openUnlessWrong(stage, gone);
      if (vault !== undefined) throw new Error(`${gone} still opens the vault`);
    }
  }
  return opened;
}

async function openUnlessWrong(stage: Stage, name: SecretName): Promise<Vault | undefined> {
  try {
    return await openVault({ directory: stage.vault, secret: secretOf(stage, name) });
  } catch (error) {
    if (error instanceof VaultError && error.code === 'WRONG_KEY') return undefined;
    throw error;
  }
}

async function checkFiles(operation: Operation, vault: Vault, said: ReadonlySet<string>): Promise<void> {
  const { files } = await Promise.resolve(vault.list({ recursive: true, folder: '', limit: 10_000 }));
  const found = new Map<string, ContentName | undefined>();
  for (const { path } of files) found.set(path, await whichContent(vault, path));

  const expected = new Map<string, ContentName>(Object.entries(operation.startsWith ?? FILLED));
  const changes = { ...operation.changes, afterwards: AFTERWARDS };
  for (const [word, change] of Object.entries(changes)) {
    const isDone = said.has(word) || looksDone(change, found, expected);
    if (!isDone) continue;
    for (const path of change.removes ?? []) expected.delete(path);
    for (const [path, content] of Object.entries(change.adds ?? {})) expected.set(path, content);
  }
  const show = (map: ReadonlyMap<string, ContentName | undefined>): string =>
    [...map]
      .map(([path, content]) => `${path}: ${content ?? 'DAMAGED'}`)
      .sort()
      .join('\n  ');
  if (show(found) !== show(expected))
    throw new Error(`the vault has\n  ${show(found)}\ninstead of\n  ${show(expected)}`);
}

/** Whether any of a change has happened: then all of it has to be found. */
function looksDone(
  { removes = [], adds = {} }: Change,
  found: ReadonlyMap<string, ContentName | undefined>,
  before: ReadonlyMap<string, ContentName>,
): boolean {
  return (
    removes.some((path) => !found.has(path)) ||
    Object.entries(adds).some(
      ([path, content]) => found.get(path) === content && before.get(path) !== content,
    )
  );
}

/** Which of the contents a file has, byte for byte; `undefined` when it has none of them. */
async function whichContent(vault: Vault, path: string): Promise<ContentName | undefined> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read(path)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const name = bytes.toString('latin1', MARKER.length + 1, MARKER.length + 20).split(' ')[0] as ContentName;
  return bytes.equals(contentOf(name)) ? name : undefined;
}

const OWN_NAMES = new Set([
  'vault.json',
  'vault.json.bak',
  'owner.lock',
  'data.db',
  'data.db-wal',
  'data.db.reserve',
  'files',
]);

function checkNames(operation: Operation, stage: Stage, files: readonly FileEntry[]): void {
  const strange = readdirSync(stage.vault).filter(
    (name) => !OWN_NAMES.has(name) && operation.mayLeave?.includes(name) !== true,
  );
  if (strange.length > 0) throw new Error(`left in the vault: ${strange.join(', ')}`);
  const sealed = files.filter(({ placement }) => placement === 'sealed').map(({ id }) => `${id}.enc`);
  sealed.push(...(operation.keepsInFiles ?? []));
  const there = readdirSync(join(stage.vault, 'files')).sort();
  if (there.join() !== sealed.sort().join())
    throw new Error(`files/ has ${there.join(', ')} where the vault has ${sealed.join(', ')}`);
}

async function checkNothingFound(vault: Vault, thorough: boolean): Promise<void> {
  const findings: string[] = [];
  await everyEvent(vault.check({ mode: thorough ? 'full' : 'quick' }), (event) => {
    if (event.type !== 'summary') findings.push(JSON.stringify(event));
  });
  if (findings.length > 0) throw new Error(`check finds ${findings.join('\n')}`);
}

/** Names, lengths and times: what a write changes. */
function snapshot(folder: string): string {
  const lines = filesBelow(folder).map((path) => {
    const { size, mtimeMs, ino } = lstatSync(path);
    return `${relative(folder, path)} ${String(size)} ${String(mtimeMs)} ${String(ino)}`;
  });
  return lines.sort().join('\n');
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
