import { everyEvent } from './filled-vault.ts';
import { openStage } from './open-stage.ts';
import type { Operation } from './operation.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { Stage } from '../stage.ts';

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
    if (event.type === 'problem') throw new Error(event.message);
    say(event.type);
    if (event.type === options.until) return;
  }
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
      say(event.type);
    });
  },
  inspect: finishRotation,
};

export const ROTATE_OPERATIONS: Readonly<Record<string, Operation>> = {
  rotate: rotation(false),
  'rotate-reseal': rotation(true),
  'rotate-resume': resumed,
};
