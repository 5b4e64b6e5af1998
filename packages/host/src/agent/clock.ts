import { uptime } from 'node:os';

/** The clocks that tell when an agent's time is over. */
export interface Clock {
  /** Of the day, in milliseconds since 1970; a person can set it. */
  readonly wallMs: () => number;
  /** Goes on evenly while the machine runs. */
  readonly monotonicMs: () => number;
  /** Goes on evenly, also while the machine sleeps. */
  readonly sinceBootMs: () => number;
}

export const SYSTEM_CLOCK: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sinceBootMs: () => uptime() * 1000,
};
