import type { VaultClient } from '@coffer/host';
import type { RotateEvent, SlotInfo } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type Context, type ChangeCommand, showProgress } from '../context.ts';
import { exitCode } from '../exit-codes.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { chooseSecretSource } from '../input/secret-source.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { checkRecoveryCodePlace, makeRecoveryCode } from '../new-recovery-code.ts';
import { findAgent, openVaultWith, useSecret } from '../open-vault.ts';
import { escapeText } from '../output/escape.ts';
import { formatCount, formatSize } from '../output/format.ts';
import { slotRecord } from '../output/records.ts';
import { type SlotChoice, type SlotPlan, describeSlot, planSlots, settleSlots } from '../rotation-slots.ts';

interface RotateOptions extends SlotChoice {
  readonly reseal: boolean;
  readonly dryRun: boolean;
  readonly newRecoveryCodeFile?: string | undefined;
}

/** `coffer key rotate`: replaces the root key. */
export function registerKeyRotate(key: CommandUnknownOpts, change: ChangeCommand): void {
  key
    .command('rotate')
    .summary('replace the key that everything is encrypted under')
    .description(
      'Replaces the root key of the vault: the database gets a new key and every sealed file a new header, and what opened the vault before without being ' +
        'kept opens it no more. The time depends on the number of files, not on their sizes, and on the size of the database. The vault can be used meanwhile (through an agent), and an interrupted rotation is ' +
        'gone on with by the same command.\n\n' +
        'A key slot stays if its secret is given: the one that opens the vault, more with the options below or when asked. A recovery code is replaced by a new ' +
        'one. All other slots have to be dropped by name.\n\n' +
        "Copies of the vault that were made before, backups too, open with the old secrets as before. Use --reseal if somebody may have copied the sealed files' headers " +
        'together with the old key: it seals all files again under new keys of their own, those in quarantine too. A damaged file is named and keeps its key. While a ' +
        'file is being received or saved the rotation is not finished: run this again when it is whole.',
    )
    .option(
      '--keep-passphrase-file <file>',
      'keep the slot that this passphrase opens (repeatable)',
      collect,
      [],
    )
    .option('--keep-keyfile <file>', 'keep the slot that this key file opens (repeatable)', collect, [])
    .option(
      '--drop <slot>',
      'this slot no longer opens the vault: its id, or the beginning of it (repeatable)',
      collect,
      [],
    )
    .option(
      '--new-recovery-code-file <file>',
      'write the new recovery code to this new file instead of showing it',
    )
    .option('--reseal', 'seal all files again under fresh keys; needs room for the largest one', false)
    .option('-n, --dry-run', 'only say what would be done', false)
    .action((options) => change((context) => rotateKey(context, options), !options.dryRun));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

async function rotateKey(context: Context, options: RotateOptions): Promise<number> {
  // Going on needs no secret of a slot, so that whoever has an agent is not asked for one.
  if (chooseSecretSource(context.globals, context.host.env).kind === 'ask') {
    await using agent = await findAgent(context);
    if (agent !== undefined && (await agent.status()).rotation !== 'none')
      return await goOn(context, agent, options);
  }
  return await useSecret(context, async (secret, accept) => {
    await using vault = await openVaultWith(context, secret);
    accept();
    if ((await vault.status()).rotation !== 'none') return await goOn(context, vault, options);
    using plan = await planSlots(context, vault, secret, options);
    return options.dryRun
      ? await showPlan(context, vault, plan, options)
      : await begin(context, vault, plan, options);
  });
}

async function begin(
  context: Context,
  vault: VaultClient,
  plan: SlotPlan,
  options: RotateOptions,
): Promise<number> {
  const place = {
    path: options.newRecoveryCodeFile,
    option: '--new-recovery-code-file',
    directory: await chooseVaultDirectory(context),
    vaultId: vault.vaultId,
  };
  if (plan.recovery !== undefined) checkRecoveryCodePlace(context, place);
  await settleSlots(context, vault, plan);
  using made = plan.recovery === undefined ? undefined : await makeRecoveryCode(context, place);
  const { signal } = context;
  signal.throwIfAborted();
  const recovery =
    plan.recovery === undefined || made === undefined
      ? []
      : [{ slotId: plan.recovery.id, secret: { kind: 'recovery', code: made.code } as const }];
  const state = { hasBegun: false };
  const before = await vault.slots();
  try {
    using progress = await showProgress(context, 'key rotate');
    const events = vault.rotate({
      keep: [...plan.keep, ...recovery],
      drop: plan.drop.map(({ id }) => id),
      reseal: options.reseal,
      keychainTimeoutMs: keychainTimeoutMs(context.ask),
      signal,
      onProgress: progress.update,
    });
    return await report(context, events, state);
  } catch (error) {
    // It opens nothing, and its name should be free for the next try; unless the vault has the new slots already, and it was only not told.
    if (!state.hasBegun && (await areStillThere(place.directory, before, error))) await made?.discard();
    throw error;
  }
}

/** Whether the slots on disk are those from before a rotation that has failed. When it can't be known, they count as replaced. */
async function areStillThere(
  directory: string,
  before: readonly SlotInfo[],
  failure: unknown,
): Promise<boolean> {
  const { VaultError, readVaultSlots } = await import('@coffer/vault');
  // The agent has ended, or is no longer to be heard: what it still did, nobody knows.
  if (failure instanceof VaultError && failure.code === 'CLOSED') return false;
  try {
    const { slots } = await readVaultSlots(directory);
    return before.every(({ id }) => slots.some((slot) => slot.id === id));
  } catch {
    return false;
  }
}

async function goOn(context: Context, vault: VaultClient, options: RotateOptions): Promise<number> {
  const { output, signal } = context;
  const { rotation } = await vault.status();
  if (options.dryRun) {
    if (output.json) output.record('summary', { command: 'key rotate', dryRun: true, rotation });
    else output.info('An interrupted rotation would be gone on with; the key slots are new already.');
    return exitCode('done');
  }
  output.info('Going on with the rotation that was interrupted.');
  using progress = await showProgress(context, 'key rotate');
  const { reseal } = options;
  const events = vault.resumeRotation({ reseal, signal, onProgress: progress.update });
  return await report(context, events, { hasBegun: true });
}

async function report(
  { output }: Context,
  events: AsyncIterable<RotateEvent>,
  state: { hasBegun: boolean },
): Promise<number> {
  let problems = 0;
  let isFinished = false;
  try {
    for await (const event of events) {
      switch (event.type) {
        case 'slots':
          state.hasBegun = true;
          for (const warning of event.warnings) output.warning(warning);
          for (const slot of event.dropped) {
            if (output.json) output.record('slot', { ...slotRecord(slot), removed: true });
            else output.info(`Dropped key slot ${describeSlot(slot)}.`);
          }
          for (const slot of event.slots) {
            if (output.json) output.record('slot', slotRecord(slot));
            else output.detail(`key slot ${describeSlot(slot)} is new`);
          }
          break;
        case 'database':
          output.detail('the database has its new key');
          break;
        case 'problem':
          problems += 1;
          if (output.json)
            output.record('problem', { kind: event.kind, path: event.path, message: event.message });
          else output.warning(escapeText(event.message));
          break;
        case 'summary': {
          const { keyEpoch, rewrapped, resealed, resealedBytes, finished } = event;
          isFinished = finished;
          if (output.json) {
            const counts = { keyEpoch, rewrapped, resealed, resealedBytes, problems, finished };
            output.record('summary', { command: 'key rotate', dryRun: false, ...counts });
          } else {
            const again =
              resealed === 0
                ? ''
                : `, ${formatCount(resealed, 'file')} sealed again (${formatSize(resealedBytes)})`;
            output.info(
              `The root key is new (key epoch ${String(keyEpoch)}): ${formatCount(rewrapped, 'header')} written anew${again}.`,
            );
          }
        }
      }
    }
  } finally {
    if (state.hasBegun && !isFinished)
      output.warning('the rotation is not finished: `coffer key rotate` goes on with it');
  }
  return exitCode(problems === 0 && isFinished ? 'done' : 'someFailed');
}

async function showPlan(
  { output }: Context,
  vault: VaultClient,
  plan: SlotPlan,
  { reseal }: RotateOptions,
): Promise<number> {
  const slots = await vault.slots();
  const status = await vault.status();
  for (const slot of slots) {
    const becomes = plan.keep.some(({ slotId }) => slotId === slot.id)
      ? 'kept'
      : plan.recovery?.id === slot.id
        ? 'new code'
        : plan.drop.some(({ id }) => id === slot.id)
          ? 'dropped'
          : 'secret needed';
    if (output.json) output.record('slot', { ...slotRecord(slot), becomes });
    else output.line(`${describeSlot(slot)}: ${becomes}`);
  }
  const { sealedFiles, sealedSizeBytes, databaseSizeBytes } = status;
  if (output.json) {
    const counts = { sealedFiles, databaseSizeBytes, ...(reseal ? { resealedBytes: sealedSizeBytes } : {}) };
    output.record('summary', { command: 'key rotate', dryRun: true, rotation: 'none', ...counts });
  } else {
    const again = reseal ? `, and seal ${formatSize(sealedSizeBytes)} again` : '';
    output.info(
      `Would write the database anew (${formatSize(databaseSizeBytes)}) and the headers of ${formatCount(sealedFiles, 'sealed file')}${again}.`,
    );
  }
  return exitCode('done');
}
