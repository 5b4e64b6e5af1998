import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { Marks, Tally } from '../tally.ts';
import { leavesNothing, observe, withinTime } from '../vault/observe.ts';
import type { Observation } from '../vault/observe.ts';
import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import type { Extent, Kind } from './kind.ts';

/** Damage to sealed files while the vault is open. */
export interface SealedCase {
  readonly name: string;
  /** What is put in the place of sealed files. */
  readonly bytes: readonly (readonly [file: SampleFile, bytes: Uint8Array])[];
  /** The content can still be read and is right; only `check` has something to say. */
  readonly readable?: boolean;
}

/** A row of the matrix of which each case changes sealed files. */
export function sealedKind(
  name: string,
  cases: (sample: SampleVault, extent: Extent) => Iterable<SealedCase>,
): Kind {
  return {
    name,
    async run(sample, tally, extent) {
      await using vault = await sample.open();
      for (const each of cases(sample, extent)) await runCase(vault, sample, each, tally);
    },
  };
}

async function runCase(vault: Vault, sample: SampleVault, each: SealedCase, tally: Tally): Promise<void> {
  const affected = each.bytes.map(([file]) => file);
  for (const [file, bytes] of each.bytes) writeFileSync(sample.sealedPath(file), bytes);
  // By id and not the whole vault: a scan of the database's pages has nothing to find here.
  const seen = await withinTime(each.name, observe(vault, sample.files, { only: sample.files }));
  const kept = await restoresNothing(vault, sample, each.readable === true ? [] : affected);
  for (const file of affected) writeFileSync(sample.sealedPath(file), sample.sealedBytes(file));
  const marks = judge(seen, affected, each.readable === true);
  tally.count(each.name, { ...marks, onlyAuthentic: marks.onlyAuthentic && kept }, describe(seen));
}

async function restoresNothing(
  vault: Vault,
  sample: SampleVault,
  files: readonly SampleFile[],
): Promise<boolean> {
  const destination = join(sample.root, 'restored');
  for (const file of files) {
    if (await leavesNothing(vault, file, destination)) continue;
    rmSync(destination, { force: true });
    return false;
  }
  return true;
}

function judge(seen: Observation, affected: readonly SampleFile[], readable: boolean): Marks {
  const paths = affected.map(({ path }) => path);
  const found = seen.findings.map(({ path }) => path ?? '');
  const reads = affected.map(({ path }) => seen.files.get(path));
  const isRefused = reads.every((read) => read?.outcome === 'refused' && read.error?.code === 'DAMAGED');
  const isWhole = reads.every((read) => read?.outcome === 'whole');
  const errors = reads.map((read) => read?.error).filter((error) => error !== undefined);
  return {
    detected: paths.every((path) => found.includes(path)) && (readable ? isWhole : isRefused),
    named:
      found.every((path) => paths.includes(path)) &&
      errors.every((error, index) => error.message.includes(nameOf(affected[index]))),
    advised:
      seen.findings.every(({ remedy }) => remedy !== '') &&
      errors.every(({ hint }) => hint !== undefined && hint !== ''),
    othersIntact: [...seen.files].every(([path, { outcome }]) => paths.includes(path) || outcome === 'whole'),
    onlyAuthentic: [...seen.files.values()].every(({ outcome }) => outcome !== 'wrong'),
  };
}

function nameOf(file: SampleFile | undefined): string {
  return file?.path.split('/').at(-1) ?? '';
}

function describe({ files, findings }: Observation): string {
  const read = [...files].filter(([, { outcome }]) => outcome !== 'whole');
  const said = read.map(([path, { outcome, error }]) => `${path} ${outcome} ${error?.message ?? ''}`);
  return [...said, ...findings.map(({ code, path }) => `${code} ${path ?? ''}`)].join('; ');
}
