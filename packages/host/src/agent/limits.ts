import type { Clock } from './clock.ts';

/** Why an agent locks its vault. */
export type LockReason = 'asked' | 'time' | 'idle' | 'suspend' | 'signal' | 'gone' | 'unreachable' | 'failed';

export interface Limits {
  /** How long the vault stays open, whatever is done. */
  readonly forMs: number;
  /** How long it stays open with nothing being done; as long as `forMs` when not given. */
  readonly idleMs?: number | undefined;
}

/** The machine slept for at least so long: the clocks that run on then have gone apart. Below it is the error of reading two clocks. */
const SUSPEND_MS = 2_000;
/** Without such clocks: nothing was looked at for so long, though it is done every few seconds. */
const STANDSTILL_MS = 60_000;

/**
 * Says when the time of an agent is over. `check` is called every few seconds. The absolute limit is held by two clocks, so that setting one back does not
 * extend it.
 */
export class AgentLimits {
  readonly #clock: Clock;
  readonly #hasBootClock: boolean;
  #limits: Limits;
  #untilWallMs = 0;
  #untilMonotonicMs = 0;
  #running = 0;
  #lastUsedMs = 0;
  #lastCheckMs: number;
  /** What the clock since boot is ahead, which grows while the machine sleeps. */
  #aheadMs: number;

  constructor(limits: Limits, clock: Clock, platform: NodeJS.Platform) {
    this.#clock = clock;
    this.#hasBootClock = platform === 'linux';
    this.#limits = limits;
    this.#aheadMs = clock.sinceBootMs() - clock.monotonicMs();
    this.#lastCheckMs = clock.wallMs();
    this.renew(limits);
  }

  /** Begins anew, with other limits. */
  renew(limits: Limits): void {
    this.#limits = limits;
    this.#untilWallMs = this.#clock.wallMs() + limits.forMs;
    this.#untilMonotonicMs = this.#clock.monotonicMs() + limits.forMs;
    this.#lastUsedMs = this.#clock.monotonicMs();
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** When the vault is locked at the latest, in milliseconds since 1970. */
  get untilMs(): number {
    return this.#untilWallMs;
  }

  /** Something is begun; call what it returns when it has ended. Nothing is idle in between. */
  begin(): () => void {
    this.#running += 1;
    return () => {
      this.#running -= 1;
      this.#lastUsedMs = this.#clock.monotonicMs();
    };
  }

  /** Why the vault is to be locked now, if it is. */
  check(): LockReason | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (this.#hasSlept()) return 'suspend';
    if (this.#clock.wallMs() >= this.#untilWallMs || nowMs >= this.#untilMonotonicMs) return 'time';
    const { idleMs } = this.#limits;
    const isIdle = idleMs !== undefined && this.#running === 0 && nowMs - this.#lastUsedMs >= idleMs;
    return isIdle ? 'idle' : undefined;
  }

  #hasSlept(): boolean {
    const wallMs = this.#clock.wallMs();
    const sinceLastMs = wallMs - this.#lastCheckMs;
    this.#lastCheckMs = wallMs;
    const aheadMs = this.#clock.sinceBootMs() - this.#clock.monotonicMs();
    // A little at a time is a clock being corrected; that must not add up.
    const sleptMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (sleptMs >= SUSPEND_MS) return true;
    return !this.#hasBootClock && sinceLastMs >= STANDSTILL_MS;
  }
}
