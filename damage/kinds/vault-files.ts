import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../packages/crypto/src/index.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isFound, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import type { Marks } from '../tally.ts';

const NAMES = ['vault.json', 'vault.json.bak'] as const;
type Name = (typeof NAMES)[number];
type Which = readonly Name[];

const FIRST: Which = ['vault.json'];
const COPY: Which = ['vault.json.bak'];
const BOTH: Which = NAMES;

/** Key slots: every byte and every length of each copy and of both. */
export const vaultFiles: readonly Kind[] = [
  quick('a byte of vault.json', (sample, extent) => flips(sample, FIRST, extent)),
  quick('a byte of vault.json.bak', (sample, extent) => flips(sample, COPY, extent)),
  quick('a byte of both at the same place', (sample, extent) => flips(sample, BOTH, extent)),
  quick('vault.json cut off, at every length', (sample, extent) => truncations(sample, FIRST, extent)),
  quick('vault.json.bak cut off, at every length', (sample, extent) => truncations(sample, COPY, extent)),
  quick('both cut off, at every length', (sample, extent) => truncations(sample, BOTH, extent)),
  quick('vault.json, its copy or both, removed or replaced', replaced),
  quick('a byte of both, with a right checksum', forged),
];

/** Names and sizes are enough: nothing is done to what `check` reads. */
function quick(name: string, cases: (sample: SampleVault, extent: Extent) => Iterable<ClosedCase>): Kind {
  return closedKind(name, cases, { mode: 'quick' });
}

function* flips(sample: SampleVault, which: Which, extent: Extent): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('vault.json');
  for (let offset = 0; offset < bytes.length; offset++) {
    for (let bit = 0; bit < 8; bit++) {
      if (!isTried(extent)) continue;
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(offset) ^ (1 << bit), offset);
      yield put(sample, which, copy, `byte ${String(offset)} bit ${String(bit)}`);
    }
  }
}

function* truncations(sample: SampleVault, which: Which, extent: Extent): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('vault.json');
  for (let length = 0; length < bytes.length; length++) {
    if (isTried(extent)) yield put(sample, which, bytes.subarray(0, length), `${String(length)} bytes`);
  }
}

function* replaced(sample: SampleVault): Generator<ClosedCase> {
  for (const which of [FIRST, COPY, BOTH]) {
    const said = which === BOTH ? (met: Encounter): Marks => isRefused(met, 'vault.json') : saysCopy(which);
    yield {
      name: `${which.join(' and ')} removed`,
      touches: [...which],
      damage: () => {
        for (const name of which) rmSync(join(sample.paths.directory, name));
      },
      judge: said,
    };
    yield put(sample, which, Buffer.alloc(0), 'empty');
    yield put(sample, which, Buffer.alloc(65_536, 0x20), '64 KiB of spaces');
    yield put(sample, which, Buffer.alloc(4 * 1024 * 1024, 0x7b), '4 MiB of braces');
    yield put(sample, which, Buffer.from('null\n'), 'null');
  }
}

/** What who can write the file but has no key can do: the checksum is right, the MAC is not. */
function* forged(sample: SampleVault, extent: Extent): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('vault.json');
  const end = bytes.indexOf(',\n  "checksum"');
  for (let offset = 0; offset < end; offset++) {
    if (!isTried(extent)) continue;
    const signed = Buffer.from(bytes.subarray(0, end));
    // The digit beside it, so that it mostly stays what the schema allows.
    signed.writeUInt8(signed.readUInt8(offset) ^ 1, offset);
    const checksum = Buffer.from(sha256(signed)).toString('hex');
    const forgery = Buffer.concat([signed, Buffer.from(`,\n  "checksum": "${checksum}"\n}\n`)]);
    const judge = (met: Encounter): Marks => {
      const marks = isRefused(met, 'vault.json', ['DAMAGED', 'TOO_NEW']);
      // Changed where the slot's key or its salt is: from outside no different from a wrong key file.
      const isWrongKey = met.refusal?.code === 'WRONG_KEY';
      return isWrongKey ? { ...marks, detected: true, named: true } : marks;
    };
    yield { ...put(sample, BOTH, forgery, `byte ${String(offset)}`), judge };
  }
}

function put(sample: SampleVault, which: Which, bytes: Uint8Array, name: string): ClosedCase {
  return {
    name: `${which.join(' and ')}: ${name}`,
    touches: [...which],
    damage: () => {
      for (const each of which) writeFileSync(join(sample.paths.directory, each), bytes);
    },
    judge: which === BOTH ? (met) => isRefused(met, 'vault.json') : saysCopy(which),
  };
}

/** The other copy is used, opening says so and mends it, and `check` says that it was mended. */
function saysCopy([name = 'vault.json']: Which): (met: Encounter) => Marks {
  return (met) => {
    const marks = isFound(met, ['VAULT_FILE_COPY'], name);
    const isSaid = met.warnings.some((line) => line.includes(name));
    return { ...marks, detected: marks.detected && isSaid };
  };
}
