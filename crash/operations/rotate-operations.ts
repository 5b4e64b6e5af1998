import { closeSync, fsyncSync, linkSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileKey, SEALED_FILE, encodeHeader, hexToBytes } from '../../packages/crypto/src/index.ts';
import { fileIdFromBytes, openDatabase } from '../../packages/database/src/index.ts';
import { vaultPaths } from '../../packages/vault/src/index.ts';
import { readVaultFile } from '../../packages/vault/src/vault-file/read.ts';
import { unlockVaultFile } from '../../packages/vault/src/vault-file/unlock.ts';
import { everyEvent } from './filled-vault.ts';
import { openStage } from './open-stage.ts';
import { WITHOUT_VICTIM, quarantineVictim, quarantined } from './quarantine-operations.ts';
import type { Operation } from './operation.ts';
import type { RotateEvent, Vault } from '../../packages/vault/src/index.ts';
import type { Stage } from '../stage.ts';

/** Of a sealed file: both places of its header. */
const HEADER_SIZE_BYTES = 8192;

async function addSecond(stage: Stage): Promise<void> {
  await using vault = await openStage(stage);
  await vault.addSlot(stage.secret('second'), { label: 'second' });
}

/** Keeps the owner's slot and drops the second one. `until` ends it early, as a crash would. */
async function rotate(
  vault: Vault,
  stage: Stage,
  options: { readonly reseal: boolean; readonly until?: 'slots' },
  say: (word: string) => void = () => undefined,
): Promise<void> {
  const slots = await Promise.resolve(vault.slots());
  const idOf = (isSecond: boolean): string =>
    slots.find(({ label }) => (label === 'second') === isSecond)?.id ?? '';
  const keep = [{ slotId: idOf(false), secret: stage.secret('owner') }];
  for await (const event of vault.rotate({ keep, drop: [idOf(true)], reseal: options.reseal })) {
    sayDone(event, say);
    if (event.type === options.until) return;
  }
}

/** What could not be done is told by an event, and the summary then says that more is to be done. */
function sayDone(event: RotateEvent, say: (word: string) => void): void {
  if (event.type !== 'summary' || event.finished) say(event.type);
}

/** A rotation that was begun can be finished, and is then. */
async function finishRotation(_stage: Stage, said: ReadonlySet<string>, vault: Vault): Promise<void> {
  const rotation = (await Promise.resolve(vault.status())).rotation;
  if (said.has('summary') && rotation !== 'none')
    throw new Error(`acknowledged, it still has to do ${rotation}`);
  if (rotation !== 'none') {
    await everyEvent(vault.resumeRotation(), (event) => {
      if (event.type === 'problem') throw new Error(event.message);
      if (event.type === 'summary' && !event.finished) throw new Error('the rotation could not be finished');
    });
  }
  const epochs = await vault.keyEpochs();
  if (epochs.filter(({ files }) => files > 0).length > 1)
    throw new Error(`files are under several keys: ${JSON.stringify(epochs)}`);
}

function rotation(reseal: boolean): Operation {
  return {
    secrets: { acknowledgedBy: 'slots', before: ['owner', 'second'], after: ['owner'] },
    prepare: addSecond,
    run: async (vault, stage, say) => {
      await rotate(vault, stage, { reseal }, say);
    },
    inspect: finishRotation,
  };
}

/** Goes on with one that ended when its slots were in place. */
const resumed: Operation = {
  prepare: async (stage) => {
    await addSecond(stage);
    await using vault = await openStage(stage);
    await rotate(vault, stage, { reseal: false, until: 'slots' });
  },
  run: async (vault, _stage, say) => {
    await everyEvent(vault.resumeRotation(), (event) => {
      sayDone(event, say);
    });
  },
  inspect: finishRotation,
};

/** Also with a file in quarantine. Every sealed file has one more name, out of the vault, that shows what becomes of it when another one is in its place. */
const resealedAll: Operation = {
  ...rotation(true),
  startsWith: WITHOUT_VICTIM,
  mayLeave: ['quarantine'],
  prepare: async (stage) => {
    await quarantineVictim(stage);
    await addSecond(stage);
  },
  run: async (vault, stage, say) => {
    if (watch(stage)) say('watched');
    await rotate(vault, stage, { reseal: true }, say);
  },
  inspect: async (stage, said, vault) => {
    const before = quarantined(stage);
    await finishRotation(stage, said, vault);
    if (before.length !== 1 || quarantined(stage).join() !== before.join())
      throw new Error(`quarantine/ has ${before.join()}, then ${quarantined(stage).join() || 'nothing'}`);
    const [file] = await vault.quarantine();
    if (file?.problem !== undefined) throw new Error(`in quarantine: ${file.problem}`);
    if ((await Promise.resolve(vault.status())).keyEpoch > 1) expectShredded(stage, said);
  },
};

const WATCHED = 'watched ';

/** Whether it could: these calls may be made to fail as those of the vault are, and then there is less to see. */
function watch(stage: Stage): boolean {
  const { files, quarantine } = vaultPaths(stage.vault);
  try {
    for (const folder of [files, quarantine])
      for (const name of readdirSync(folder))
        linkSync(join(folder, name), join(stage.out, `${WATCHED}${name}`));
    const out = openSync(stage.out, 'r');
    fsyncSync(out);
    closeSync(out);
    return true;
  } catch {
    return false;
  }
}

function expectShredded(stage: Stage, said: ReadonlySet<string>): void {
  const watched = readdirSync(stage.out).filter((each) => each.startsWith(WATCHED));
  if (said.has('watched') && watched.length < 2) throw new Error('what was watched is not there');
  for (const name of watched) {
    const header = readFileSync(join(stage.out, name)).subarray(0, HEADER_SIZE_BYTES);
    if (header.some((byte) => byte !== 0)) throw new Error(`the old header of ${name} is still there`);
  }
}

const PARTIAL_ID = 'c'.repeat(32);

/** With a file that is being received, whose header no row of `files` names. */
const rotatePartial: Operation = {
  ...rotation(false),
  keepsInFiles: [`${PARTIAL_ID}.enc.part`],
  prepare: async (stage) => {
    await addSecond(stage);
    await addPartial(stage);
  },
};

async function addPartial(stage: Stage): Promise<void> {
  const paths = vaultPaths(stage.vault);
  using rootKey = (await unlockVaultFile(await readVaultFile(paths), stage.secret('owner'))).rootKey;
  using storageKey = rootKey.derive('coffer/storage/v1');
  using databaseKey = rootKey.derive('coffer/database/v1');
  using fileKey = FileKey.generate();
  const fileId = hexToBytes(PARTIAL_ID);
  const header = encodeHeader(storageKey, fileKey, {
    fileId,
    keyEpoch: 1,
    sequence: 1n,
    segmentSizeLog2: SEALED_FILE.SEGMENT_SIZE_LOG2,
  });
  writeFileSync(join(paths.files, `${PARTIAL_ID}.enc.part`), header, { mode: 0o600 });
  using database = openDatabase({ path: paths.database, key: databaseKey.exportBytes() });
  database.transfers.create({
    id: 'incoming',
    direction: 'receive',
    peer: undefined,
    name: 'incoming.bin',
    mimeType: 'application/octet-stream',
    sizeBytes: 1_000_000,
    sha256: undefined,
    chunkSizeBytes: 262_144,
    fileId: fileIdFromBytes(fileId),
  });
}

export const ROTATE_OPERATIONS: Readonly<Record<string, Operation>> = {
  rotate: rotation(false),
  'rotate-reseal': rotation(true),
  'rotate-reseal-all': resealedAll,
  'rotate-resume': resumed,
  'rotate-partial': rotatePartial,
};
