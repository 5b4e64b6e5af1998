import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VaultError } from '../../packages/vault/src/index.ts';
import type { Marks, Tally } from '../tally.ts';
import { observe, requireVaultError, withinTime } from '../vault/observe.ts';
import type { Observation } from '../vault/observe.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';

/** What a person meets who opens a vault that was damaged while it was closed. */
export interface Encounter {
  /** Why it did not open. */
  readonly refusal: VaultError | undefined;
  readonly warnings: readonly string[];
  /** When it opened. */
  readonly seen: Observation | undefined;
  /** Whether everything that was not damaged is on disk as it was; only looked at after a refusal. */
  readonly isRestUntouched: boolean;
}

/** Damage to the folder of a vault that is closed. */
export interface ClosedCase {
  readonly name: string;
  /** Files of the vault's folder that it changes, removes or adds. */
  readonly touches: readonly string[];
  readonly damage: () => void | Promise<void>;
  readonly judge: (met: Encounter) => Marks;
  /** Runs after the vault is closed again. */
  readonly after?: () => void | Promise<void>;
}

interface KindOptions {
  readonly mode?: 'full' | 'quick';
  /** Each case scans the database in a process of its own: of many, fewer are tried. */
  readonly isSlow?: boolean;
}

/** A row of the matrix of which each case changes the folder of a closed vault; it is put back afterwards. */
export function closedKind(
  name: string,
  cases: (sample: SampleVault, extent: Extent) => Iterable<ClosedCase> | AsyncIterable<ClosedCase>,
  options: KindOptions = {},
): Kind {
  return {
    name,
    async run(sample, tally, extent) {
      const { isSlow = false, mode = 'full' } = options;
      const own: Extent = { ...extent, oneIn: Math.ceil(extent.oneIn / 40) };
      for await (const each of cases(sample, extent)) {
        if (!isSlow || isTried(own)) await runCase(sample, each, tally, mode);
      }
    },
  };
}

async function runCase(
  sample: SampleVault,
  each: ClosedCase,
  tally: Tally,
  mode: 'full' | 'quick',
): Promise<void> {
  try {
    await each.damage();
    const met = await withinTime(each.name, meet(sample, each, mode));
    tally.count(each.name, each.judge(met), describe(met));
  } finally {
    await each.after?.();
    sample.snapshot.restore();
  }
}

async function meet(sample: SampleVault, each: ClosedCase, mode: 'full' | 'quick'): Promise<Encounter> {
  let vault;
  try {
    vault = await sample.open();
  } catch (error) {
    const isRestUntouched = sample.snapshot.names
      .filter((name) => !each.touches.includes(name) && !WRITTEN_BY_OPENING.has(name))
      .every((name) => isSame(join(sample.paths.directory, name), sample.snapshot.bytes(name)));
    return { refusal: requireVaultError(error), warnings: [], seen: undefined, isRestUntouched };
  }
  const seen = await observe(vault, sample.files, { mode });
  const { warnings } = vault;
  // A database that is damaged may be refused once more when its log is moved; that is no news.
  await vault.close().catch(requireVaultError);
  return { refusal: undefined, warnings, seen, isRestUntouched: true };
}

/** What the owner makes again at every opening. */
const WRITTEN_BY_OPENING: ReadonlySet<string> = new Set([
  'data.db.reserve',
  'owner.lock',
  'data.db-wal',
  'data.db-shm',
]);

function isSame(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

/** The vault can't be opened, says what is damaged and what to do, and touches nothing else. */
export function isRefused(met: Encounter, mentions: string, codes: readonly string[] = ['DAMAGED']): Marks {
  const { refusal } = met;
  return {
    detected: refusal !== undefined && codes.includes(refusal.code),
    named: refusal?.message.includes(mentions) === true,
    advised: (refusal?.hint ?? '') !== '' || refusal?.message.endsWith(': remove it') === true,
    othersIntact: met.isRestUntouched,
    onlyAuthentic: true,
  };
}

/** The vault opens, and exactly these files can't be read; each has a finding of its own, and no other file has one. */
export function isAffecting({ seen }: Encounter, paths: readonly string[]): Marks {
  if (seen === undefined) {
    return { detected: false, named: false, advised: false, othersIntact: false, onlyAuthentic: true };
  }
  const found = seen.findings.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const refused = [...seen.files].filter(([, { outcome }]) => outcome === 'refused');
  return {
    detected:
      paths.every((path) => found.includes(path)) &&
      refused.every(([, { error }]) => error?.code === 'DAMAGED'),
    named: found.every((path) => paths.includes(path)),
    advised:
      seen.findings.every(({ remedy }) => remedy !== '') &&
      refused.every(([, { error }]) => error?.hint !== undefined && error.hint !== ''),
    othersIntact: refused.every(([path]) => paths.includes(path)) && seen.checkError === undefined,
    onlyAuthentic: areAuthentic(seen),
  };
}

/** The vault opens with every file whole, and `check` has a finding with each of these codes and no other. */
export function isFound(met: Encounter, codes: readonly string[], mentions = ''): Marks {
  const { seen } = met;
  const found: readonly string[] = seen?.findings.map(({ code }) => code) ?? [];
  return {
    detected: codes.every((code) => found.includes(code)),
    named:
      found.every((code) => codes.includes(code)) &&
      (mentions === '' || seen?.findings.some(({ message }) => message.includes(mentions)) === true),
    advised: seen?.findings.every(({ remedy }) => remedy !== '') === true,
    othersIntact: seen !== undefined && areWhole(seen) && seen.checkError === undefined,
    onlyAuthentic: seen === undefined || areAuthentic(seen),
  };
}

/** Nothing is lost and nothing is said: what was damaged means nothing, or was put right without a word. */
export function isHarmless(met: Encounter): Marks {
  return isFound(met, []);
}

function areWhole({ files }: Observation): boolean {
  return [...files.values()].every(({ outcome }) => outcome === 'whole');
}

function areAuthentic({ files }: Observation): boolean {
  return [...files.values()].every(({ outcome }) => outcome !== 'wrong');
}

function describe({ refusal, warnings, seen }: Encounter): string {
  if (refusal !== undefined) return `${refusal.code}: ${refusal.message}`;
  const read = [...(seen?.files ?? [])].filter(([, { outcome }]) => outcome !== 'whole');
  const said = read.map(
    ([path, { outcome, error }]) => `${path} ${outcome} ${error?.code ?? ''} ${error?.message ?? ''}`,
  );
  const findings = seen?.findings.map(({ code, path, message }) => `${code} ${path ?? message}`) ?? [];
  const ended = seen?.checkError === undefined ? [] : [`check ended: ${seen.checkError.message}`];
  return [...warnings, ...said, ...findings, ...ended].join('; ');
}
