import type { CofferDatabase } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { Keychain } from '../keychain/keychain.ts';
import { isKeychainLikely } from '../keychain/reachable.ts';
import { hasSlotItem } from '../keychain/slot-item.ts';
import { AcknowledgedGeneration } from '../vault-file/acknowledged.ts';
import type { KeySlots } from '../slots/key-slots.ts';
import { readEvidence, removeEvidence, writeEvidence } from './evidence.ts';
import type { Evidence, EvidenceName } from './evidence.ts';
import { Instance, unlessFull } from './instance.ts';

/** How soon the keychain follows the database. */
const FOLLOW_MS = 60_000;

/**
 * What is known of older copies: `none`, this machine's keychain remembers nothing of this vault; `kept`, it does, and the vault is not behind; `unknown`, the keychain did
 * not answer; `behind`, an older copy was put back.
 */
export type RollbackState = 'none' | 'kept' | 'unknown' | 'behind';

/** How far a vault is behind what its machine has seen. */
export interface Rollback {
  readonly seen: Evidence;
  readonly found: Evidence;
}

export interface GuardedVault {
  readonly keychain: Keychain;
  readonly database: CofferDatabase;
  readonly vaultId: string;
  /** Of the vault.json that was found, before anything of it is repaired. */
  readonly generation: number;
  /** It is older by its nature, and nothing is written to it. */
  readonly isBackup: boolean;
  /** Nothing can be written to it, and it may well be an older copy: a snapshot. */
  readonly isReadOnly?: boolean;
}

/** The keychain. Evidence is a matter of course, and nobody is asked to unlock anything for it. With `ahead`, what answers is started now, to be ready when it is needed. */
export function evidenceKeychain(options: { readonly ahead?: boolean } = {}): Keychain {
  const keychain = new Keychain({ timeoutMs: 0 });
  if (options.ahead === true && isKeychainLikely()) keychain.prepare();
  return keychain;
}

/**
 * Notices that an older copy of a vault was put back: the keychain remembers how far the vault was, and follows it within a minute and when it is closed. It is kept on
 * machines whose keychain opens the vault; elsewhere nothing is claimed but of vault.json alone, which the database remembers. Disposal writes what is not yet there.
 */
export class RollbackGuard implements AsyncDisposable {
  readonly #vault: GuardedVault;
  readonly #instance: Instance;
  readonly #acknowledged: AcknowledgedGeneration;
  #slots: KeySlots | undefined;
  #name: EvidenceName | undefined;
  #state: RollbackState = 'none';
  #known: Evidence | undefined;
  #rollback: Rollback | undefined;
  /** Whether what the keychain remembers was held against the database: only then may it be replaced. */
  #isCompared = true;
  #timer: NodeJS.Timeout | undefined;

  private constructor(vault: GuardedVault) {
    this.#vault = vault;
    this.#instance = new Instance(vault.database);
    this.#acknowledged = new AcknowledgedGeneration(vault.database);
  }

  /** Before anything else is written to the database or to vault.json. Never throws for the keychain's sake. */
  static async open(vault: GuardedVault): Promise<RollbackGuard> {
    const guard = new RollbackGuard(vault);
    await guard.#check();
    if (guard.#state === 'behind' || guard.#isUnchanging) return guard;
    vault.database.countCommits();
    unlessFull(() => {
      guard.#begin();
    });
    return guard;
  }

  /** Lets the keychain follow from now on, unless the vault is behind. */
  watch(slots: KeySlots): void {
    this.#slots = slots;
    if (this.#state === 'behind' || this.#isUnchanging) return;
    this.#timer = setInterval(() => void this.#follow(), FOLLOW_MS).unref();
  }

  get state(): RollbackState {
    return this.#state;
  }

  /** `undefined` unless the state is `behind`. */
  get rollback(): Rollback | undefined {
    return this.#rollback;
  }

  /** What to say of it as long as it is so. */
  get warnings(): readonly string[] {
    if (this.#rollback === undefined) return [];
    const { seen, found } = this.#rollback;
    if (this.#vault.isBackup) {
      return [
        `this is a backup, of change ${String(found.commits)} of the vault; this machine has seen change ${String(seen.commits)}`,
      ];
    }
    return this.#isUnchanging
      ? [`this copy of the vault, which can only be read, is an older one; ${describeLag(this.#rollback)}`]
      : [`${describeRollback(this.#rollback)}. ${REMEDY}`];
  }

  /** Throws `ROLLED_BACK`: what is written to an older copy keeps it from ever being what it was, and from being put right. */
  refuseChanges(): void {
    if (this.#rollback === undefined || this.#isUnchanging) return;
    throw new VaultError('ROLLED_BACK', `nothing is changed: ${describeRollback(this.#rollback)}`, {
      hint: REMEDY,
    });
  }

  /** Makes this older copy a copy of its own, with which work goes on. Throws `INVALID_INPUT` when it is not behind. */
  async accept(): Promise<void> {
    if (this.#rollback === undefined)
      throw new VaultError('INVALID_INPUT', 'no older copy of this vault was put back, as far as is known');
    const { database, vaultId } = this.#vault;
    database.countCommits();
    this.#name = { vaultId, instanceId: this.#instance.renew() };
    this.#acknowledged.set(this.#vault.generation);
    this.#rollback = undefined;
    this.#known = undefined;
    this.#isCompared = true;
    this.#state = 'none';
    if (this.#slots !== undefined) this.watch(this.#slots);
    await this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    if (this.#timer !== undefined) await this.#follow();
    this.#vault.keychain[Symbol.dispose]();
  }

  async #check(): Promise<void> {
    const { vaultId } = this.#vault;
    const instanceId = this.#instance.id;
    if (instanceId !== undefined) {
      this.#name = { vaultId, instanceId };
      await this.#askKeychain(this.#name);
    }
    const { generation, isBackup } = this.#vault;
    const found = { commits: this.#commits, generation };
    const known = this.#known ?? { commits: 0, generation: 0 };
    // What the database has seen of vault.json holds on every machine, with or without a keychain.
    const acknowledged = isBackup ? 0 : this.#acknowledged.value;
    const seen = { ...known, generation: Math.max(known.generation, acknowledged) };
    if (found.commits >= seen.commits && found.generation >= seen.generation) return;
    this.#state = 'behind';
    this.#rollback = { seen, found };
  }

  async #askKeychain(name: EvidenceName): Promise<void> {
    if (!isKeychainLikely()) {
      this.#isCompared = false;
      this.#state = this.#instance.isKept ? 'unknown' : 'none';
      return;
    }
    try {
      this.#known = await readEvidence(this.#vault.keychain, name);
      if (this.#known !== undefined) this.#state = 'kept';
    } catch {
      this.#isCompared = false;
      this.#state = 'unknown';
    }
  }

  /** The first writes of a vault that is not behind. */
  #begin(): void {
    if (this.#name === undefined)
      this.#name = { vaultId: this.#vault.vaultId, instanceId: this.#instance.renew() };
    else if (this.#state === 'kept') this.#instance.markKept();
    // What is changed now was never held against what a keychain knows: it must not hide that the copy is older.
    else if (this.#instance.isKept) this.#instance.markUnverified();
  }

  /** Lets the keychain follow; when it can't, the next time does. */
  async #follow(): Promise<void> {
    try {
      await this.#followNow();
    } catch {
      this.#state = 'unknown';
    } finally {
      // Nothing is asked for a minute: a process that waits for it is not worth its memory.
      this.#vault.keychain[Symbol.dispose]();
    }
  }

  async #followNow(): Promise<void> {
    const slots = this.#slots;
    if (slots === undefined || this.#name === undefined) return;
    if (!this.#isCompared && !(await this.#compareLate(this.#name))) return;
    const { keychain } = this.#vault;
    const ids = slots.list().flatMap(({ id, kind }) => (kind === 'keychain' ? [id] : []));
    if (ids.length === 0) {
      if (this.#known === undefined) return;
      unlessFull(() => {
        this.#instance.isKept = false;
      });
      await removeEvidence(keychain, this.#name);
      this.#known = undefined;
      this.#state = 'none';
      return;
    }
    if (this.#known === undefined) {
      if (!(await hasSlotItem(keychain, slots.vaultId, ids))) return;
      unlessFull(() => {
        this.#instance.isKept = true;
      });
    }
    await this.#remember(slots.generation);
    if (this.#instance.unverifiedFrom === undefined) return;
    // It was held against this keychain now, which knew of nothing: from here on the keychain answers for it.
    unlessFull(() => {
      this.#instance.markVerified();
    });
    await this.#remember(slots.generation);
  }

  /** For a keychain that did not answer at the opening: what was found then is held against it as soon as it does. `false` when nothing may be written to it. */
  async #compareLate(name: EvidenceName): Promise<boolean> {
    if (!isKeychainLikely()) return false;
    const known = await readEvidence(this.#vault.keychain, name);
    const found = { commits: this.#commits, generation: this.#vault.generation };
    if (known !== undefined && (found.commits < known.commits || found.generation < known.generation)) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#state = 'behind';
      this.#rollback = { seen: known, found };
      return false;
    }
    this.#known = known;
    this.#isCompared = true;
    return true;
  }

  async #remember(generation: number): Promise<void> {
    const evidence = { commits: this.#commits, generation };
    const isKnown = this.#known?.commits === evidence.commits && this.#known.generation === generation;
    if (isKnown || this.#name === undefined) return;
    await writeEvidence(this.#vault.keychain, this.#name, evidence);
    this.#known = evidence;
    this.#state = 'kept';
  }

  get #isUnchanging(): boolean {
    return this.#vault.isBackup || this.#vault.isReadOnly === true;
  }

  /** What counts of the database's commits. The keychain is told this and never more, so that an opening never finds less than it knows. */
  get #commits(): number {
    return Math.min(this.#vault.database.commitCount, this.#instance.unverifiedFrom ?? Infinity);
  }
}

export const REMEDY =
  'put the newer copy of the vault back if you have it; if this is the copy that you want (from a backup, perhaps), `coffer key accept-rollback` goes on with it';

/** What happened, for a person. */
export function describeRollback(rollback: Rollback): string {
  return `an older copy of this vault was put back; ${describeLag(rollback)}`;
}

function describeLag({ seen, found }: Rollback): string {
  const parts: string[] = [];
  if (found.commits < seen.commits) {
    parts.push(
      `this machine has seen change ${String(seen.commits)} of the vault, and its database ends with change ${String(found.commits)}: what was added or changed after that is missing, what was removed is back`,
    );
  }
  if (found.generation < seen.generation) {
    parts.push(
      `its key slots are of change ${String(found.generation)}, where ${String(seen.generation)} was seen: what was removed or changed since opens it again`,
    );
  }
  return parts.join('; ');
}
