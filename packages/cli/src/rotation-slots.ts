import type { VaultClient } from '@coffer/host';
import type { KeptSlot, SlotInfo, SlotSecret } from '@coffer/vault';
import { CliError, usageError } from './cli-error.ts';
import type { Context } from './context.ts';
import { askPassphrase, askYesNo, canAsk } from './input/prompt.ts';
import { readPassphrase } from './input/read-passphrase.ts';
import { forgetSecret, keychainPatience } from './open-vault.ts';
import { escapeName } from './output/escape.ts';
import { slotLabel } from './output/slot-label.ts';

/** How the slots of a rotation are chosen on the command line. */
export interface SlotChoice {
  readonly keepPassphraseFile: readonly string[];
  readonly keepKeyfile: readonly string[];
  readonly drop: readonly string[];
}

/** What becomes of the slots of a vault when its root key is rotated. Disposal zeroes the secrets that were read for it. */
export class SlotPlan implements Disposable {
  readonly keep: KeptSlot[] = [];
  readonly drop: SlotInfo[] = [];
  /** The slot that stays with a new recovery code. */
  recovery: SlotInfo | undefined;
  /** Slots of which neither the secret is known nor that they are to go. */
  readonly open: SlotInfo[] = [];
  readonly #read: SlotSecret[] = [];

  /** Forgets this secret at the end. */
  own(secret: SlotSecret): SlotSecret {
    this.#read.push(secret);
    return secret;
  }

  [Symbol.dispose](): void {
    for (const secret of this.#read) forgetSecret(secret);
  }
}

/**
 * Sorts the slots: those that are to go by name, those whose secret was given (the one that opened the vault, and more by option), the keychain of
 * this machine, the recovery code, which is made anew, and the rest. Asks nobody.
 */
export async function planSlots(
  context: Context,
  vault: VaultClient,
  opening: SlotSecret,
  choice: SlotChoice,
): Promise<SlotPlan> {
  const slots = await vault.slots();
  const plan = new SlotPlan();
  try {
    plan.drop.push(...choice.drop.map((id) => findSlot(slots, id)));
    const isFree = ({ id }: SlotInfo): boolean =>
      plan.drop.every((slot) => slot.id !== id) && plan.keep.every(({ slotId }) => slotId !== id);
    const given: { secret: SlotSecret; name: string }[] = [{ secret: opening, name: '' }];
    for (const path of choice.keepPassphraseFile) {
      const passphrase = await readPassphrase({ kind: 'passphrase-file', path }, context.host);
      given.push({ secret: plan.own({ kind: 'passphrase', passphrase }), name: path });
    }
    for (const path of choice.keepKeyfile) given.push({ secret: { kind: 'keyfile', path }, name: path });
    const isKeychainLeft = slots.some((slot) => slot.kind === 'keychain' && isFree(slot));
    if (opening.kind !== 'keychain' && isKeychainLeft) given.push({ secret: { kind: 'keychain' }, name: '' });
    for (const { secret, name } of given) {
      // It gets a new code in any case.
      if (secret.kind === 'recovery') continue;
      const slot = await slotOf(context, vault, secret, name);
      if (slot !== undefined && isFree(slot)) plan.keep.push({ slotId: slot.id, secret });
    }
    plan.recovery = slots.find((slot) => slot.kind === 'recovery' && isFree(slot));
    plan.open.push(...slots.filter((slot) => isFree(slot) && slot !== plan.recovery));
    return plan;
  } catch (error) {
    plan[Symbol.dispose]();
    throw error;
  }
}

/** Asks for what is left to say about the slots, and whether those that go may go. */
export async function settleSlots(context: Context, vault: VaultClient, plan: SlotPlan): Promise<void> {
  for (const slot of plan.open) {
    if (slot.kind !== 'passphrase' || !canAsk(context.ask)) throw needSecret(slot);
    const question = `Keep key slot ${describeSlot(slot)}? Its passphrase is asked for then; if not, it no longer opens the vault.`;
    if (await askYesNo(context.ask, question)) {
      const passphrase = await askPassphrase(context.ask, `Passphrase of key slot ${describeSlot(slot)}`);
      const secret = plan.own({ kind: 'passphrase', passphrase });
      const opened = await vault.verifySecret(secret, keychainPatience(context));
      if (opened.id !== slot.id)
        throw usageError(`that is the passphrase of key slot ${opened.id}, not of ${slot.id}`);
      plan.keep.push({ slotId: slot.id, secret });
    } else {
      plan.drop.push(slot);
    }
  }
  if (plan.drop.length === 0 || context.globals.yes) return;
  const names = plan.drop.map(describeSlot).join(', ');
  const agreed = await askYesNo(
    context.ask,
    `Drop key slot ${names}? ${plan.drop.length === 1 ? 'It' : 'They'} will no longer open the vault.`,
  );
  if (!agreed) throw new CliError('DECLINED', 'nothing was changed');
}

/** `0a1b2c3d (passphrase, desk)` */
export function describeSlot({ id, kind, label }: SlotInfo): string {
  return `${id} (${kind}${label === undefined ? '' : `, ${slotLabel(label)}`})`;
}

async function slotOf(
  context: Context,
  vault: VaultClient,
  secret: SlotSecret,
  name: string,
): Promise<SlotInfo | undefined> {
  try {
    return await vault.verifySecret(secret, keychainPatience(context));
  } catch (error) {
    // A slot of the keychain may be another machine's: then it is one of those that are left. One that is locked may well open it.
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'KEYCHAIN_ITEM_MISSING' || code === 'KEYCHAIN_ITEM_WRONG') return undefined;
    if (code === 'KEYCHAIN_UNAVAILABLE') throw needKeychain(error);
    if (name === '' || !(error instanceof Error) || !('code' in error) || error.code !== 'WRONG_KEY')
      throw error;
    throw new CliError('WRONG_KEY', `${escapeName(name)}: ${error.message}`, { cause: error });
  }
}

function needKeychain(error: unknown): CliError {
  return new CliError('INPUT_NEEDED', error instanceof Error ? error.message : String(error), {
    hint: 'run this in the session whose keychain opens the vault; a slot of another machine is dropped with --drop ID (`coffer key ls`): it no longer opens the vault then',
    cause: error,
  });
}

function needSecret(slot: SlotInfo): CliError {
  const how = { passphrase: '--keep-passphrase-file FILE', keyfile: '--keep-keyfile FILE' } as const;
  const giveIt =
    slot.kind === 'passphrase' || slot.kind === 'keyfile'
      ? `give its secret with ${how[slot.kind]}, or drop`
      : 'drop';
  return new CliError('INPUT_NEEDED', `the secret of key slot ${describeSlot(slot)} is needed to keep it`, {
    hint: `${giveIt} it with --drop ${slot.id}: it no longer opens the vault then`,
  });
}

function findSlot(slots: readonly SlotInfo[], id: string): SlotInfo {
  const [found, another] = id === '' ? [] : slots.filter((slot) => slot.id.startsWith(id));
  const hint = '`coffer key ls` lists them';
  if (found === undefined)
    throw new CliError('NOT_FOUND', `there is no key slot ${escapeName(id)}`, { hint });
  if (another === undefined) return found;
  throw usageError(`${id} is the beginning of more than one key slot`, hint);
}
