import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SEALED_FILE } from '../../packages/crypto/src/index.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { Marks, Tally } from '../tally.ts';
import { requireVaultError, withinTime } from '../vault/observe.ts';
import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';

const { HEADER_BLOCK_SIZE_BYTES: BLOCK, HEADER_SIZE_BYTES: HEADER } = SEALED_FILE;

/** Sealed files in the quarantine, which become files again only when all of each is authentic. */
export const quarantined: readonly Kind[] = [
  {
    name: 'a quarantined file changed at a byte or cut off, then adopted',
    async run(sample, tally, extent) {
      await using vault = await sample.open();
      const file = sample.file('pictures/one.bin');
      // Its own row would have it back; without one it is nobody's.
      for await (const event of vault.removePaths([file.path])) {
        if (event.type === 'failed') throw event.error;
      }
      mkdirSync(sample.paths.quarantine, { mode: 0o700 });
      await runCases(vault, sample, file, { tally, extent });
    },
  },
];

async function runCases(
  vault: Vault,
  sample: SampleVault,
  file: SampleFile,
  { tally, extent }: { readonly tally: Tally; readonly extent: Extent },
): Promise<void> {
  const bytes = sample.sealedBytes(file);
  const path = join(sample.paths.quarantine, `${file.id}.enc`);
  const run = async (name: string, changed: Uint8Array, isFreePlace = false): Promise<void> => {
    writeFileSync(path, changed, { mode: 0o600 });
    tally.count(name, await withinTime(name, adopt(vault, file, isFreePlace)));
    rmSync(path, { force: true });
  };
  for (let offset = 0; offset < bytes.length; offset++) {
    if (!isTried(extent)) continue;
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(offset) ^ (1 << (offset % 8)), offset);
    await run(`byte ${String(offset)}`, copy, offset >= BLOCK && offset < HEADER);
  }
  for (let length = 0; length < bytes.length; length++) {
    if (isTried(extent)) await run(`${String(length)} bytes`, bytes.subarray(0, length));
  }
  const other = sample.sealedBytes(sample.file('pictures/two.bin'));
  await run('another file', other);
  await run('a byte more', Buffer.concat([bytes, Buffer.alloc(1)]));
}

/** It is refused and stays where it is, or, where nothing but the free place of its header is damaged, comes back whole. */
async function adopt(vault: Vault, file: SampleFile, isFreePlace: boolean): Promise<Marks> {
  const name = `${file.id}.enc`;
  for await (const event of vault.adopt([name], { name: 'adopted' })) {
    if (event.type === 'failed') {
      const { code, message, hint } = requireVaultError(event.error);
      const listed = (await vault.quarantine()).map((each) => each.name);
      return {
        detected: code === 'DAMAGED' && !isFreePlace,
        named: message.includes(file.id),
        advised: hint !== undefined,
        othersIntact: listed.join() === name && vault.list().files.every((each) => each.name !== 'adopted'),
        onlyAuthentic: true,
      };
    }
    const content = await contentOf(vault);
    const codes: string[] = [];
    for await (const checked of vault.check({ mode: 'full', items: ['adopted'] }))
      if (checked.type === 'finding') codes.push(checked.finding.code);
    for await (const removed of vault.removePaths(['adopted']))
      if (removed.type === 'failed') throw removed.error;
    return {
      detected: isFreePlace && codes.join() === 'HEADER_LEFT_OVER',
      named: true,
      advised: true,
      othersIntact: true,
      onlyAuthentic: Buffer.compare(content, file.content) === 0,
    };
  }
  throw new Error('adopting said nothing');
}

async function contentOf(vault: Vault): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read('adopted')) pieces.push(piece);
  return Buffer.concat(pieces);
}
