import { writeFileSync } from 'node:fs';
import { sha256 } from '../../packages/crypto/src/index.ts';
import { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isFound, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import type { Kind } from './kind.ts';
import type { Marks } from '../tally.ts';

/** Key slots that are whole in themselves and not what the vault's owner made. */
export const slots: readonly Kind[] = [
  closedKind('key slots exchanged, removed, repeated, of another vault', changedSlots, { mode: 'quick' }),
  closedKind('vault.json of another vault, or an older one', foreignFiles, { mode: 'quick' }),
];

interface Slot {
  readonly id: string;
  readonly wrappedKey: string;
  readonly hkdf: { readonly salt: string };
}

interface Content {
  readonly generation: number;
  readonly vaultId: string;
  readonly slots: readonly Slot[];
}

async function* changedSlots(sample: SampleVault): AsyncGenerator<ClosedCase> {
  using other = await SampleVault.make(2);
  const { slots: ours, vaultId, generation } = read(sample);
  const [first, second] = ours;
  const [theirs] = read(other).slots;
  if (first === undefined || second === undefined || theirs === undefined) throw new Error('too few slots');
  const changes: Readonly<Record<string, Partial<Content>>> = {
    'in another order': { slots: [second, first] },
    'the first alone': { slots: [first] },
    'the second alone': { slots: [second] },
    'one of another vault added': { slots: [first, second, theirs] },
    'one of another vault in the place of the second': { slots: [first, theirs] },
    'the id of the first changed': { slots: [{ ...first, id: '00000000' }, second] },
    'the keys of both exchanged': {
      slots: [
        { ...first, wrappedKey: second.wrappedKey },
        { ...second, wrappedKey: first.wrappedKey },
      ],
    },
    'the salts of both exchanged': {
      slots: [
        { ...first, hkdf: second.hkdf },
        { ...second, hkdf: first.hkdf },
      ],
    },
    'the key of the first twice': { slots: [first, { ...second, wrappedKey: first.wrappedKey }] },
    'sixteen more of them': { slots: [...ours, ...Array.from({ length: 16 }, () => second)] },
    'none at all': { slots: [] },
    'another generation': { generation: generation + 1 },
    'another vault id': { vaultId: vaultId.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
  };
  for (const [name, change] of Object.entries(changes)) {
    const bytes = encode(sample, change);
    yield {
      name: `both files: ${name}`,
      touches: ['vault.json', 'vault.json.bak'],
      damage: () => {
        writeFileSync(sample.paths.vaultFile, bytes);
        writeFileSync(sample.paths.vaultFileCopy, bytes);
      },
      judge: isRefusedOrWrongKey,
    };
  }
}

async function* foreignFiles(sample: SampleVault): AsyncGenerator<ClosedCase> {
  using other = await SampleVault.make(2);
  const foreign = other.snapshot.bytes('vault.json');
  const put = (
    name: string,
    first: Uint8Array,
    copy: Uint8Array,
    judge: ClosedCase['judge'],
  ): ClosedCase => ({
    name,
    touches: ['vault.json', 'vault.json.bak'],
    damage: () => {
      writeFileSync(sample.paths.vaultFile, first);
      writeFileSync(sample.paths.vaultFileCopy, copy);
    },
    judge,
  });
  const own = sample.snapshot.bytes('vault.json');
  yield put('both of another vault', foreign, foreign, isRefusedOrWrongKey);
  yield put('the first of another vault', foreign, own, isRefusedOrWrongKey);
  yield put('the copy of another vault', own, foreign, (met) =>
    isFound(met, ['VAULT_FILE_FOREIGN'], 'another vault'),
  );
  const older = sample.olderVaultFile;
  yield put('the first older', older, own, (met) => isFound(met, ['VAULT_FILE_COPY'], 'differ'));
  yield put('the copy older', own, older, (met) => isFound(met, ['VAULT_FILE_COPY'], 'differ'));
  yield put('both older', older, older, (met) => {
    const marks = isFound(met, ['ROLLED_BACK'], 'older copy');
    const isSaid = met.warnings.some((line) => line.includes('older copy'));
    return { ...marks, detected: marks.detected && isSaid };
  });
}

/** From outside, a slot that was changed is no different from a wrong secret. */
function isRefusedOrWrongKey(met: Encounter): Marks {
  const marks = isRefused(met, 'vault.json');
  return met.refusal?.code === 'WRONG_KEY' ? { ...marks, detected: true, named: true } : marks;
}

function read(sample: SampleVault): Content {
  return JSON.parse(sample.snapshot.bytes('vault.json').toString()) as Content;
}

/** With a right checksum and the MAC that it had. */
function encode(sample: SampleVault, change: Partial<Content>): Buffer {
  const text = sample.snapshot.bytes('vault.json').toString();
  const content = JSON.parse(text) as Content & { checksum?: string };
  delete content.checksum;
  const signed = JSON.stringify({ ...content, ...change }, null, 2).slice(0, -'\n}'.length);
  const checksum = Buffer.from(sha256(Buffer.from(signed))).toString('hex');
  return Buffer.from(`${signed},\n  "checksum": "${checksum}"\n}\n`);
}
