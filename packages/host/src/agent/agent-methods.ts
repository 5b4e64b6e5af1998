import * as v from 'valibot';
import type { ServedMethod, ServedMethods } from '../serve/served-method.ts';
import type { Limits } from './limits.ts';

/** How an agent is, as `status` shows it. */
export interface AgentState {
  readonly pid: number;
  readonly sinceMs: number;
  /** When it locks the vault at the latest. */
  readonly untilMs: number;
  /** After how long without a request it locks the vault. */
  readonly idleMs?: number;
  /** What was noticed when it opened the vault. */
  readonly warnings: readonly string[];
}

/** What an agent can be asked for beside the vault. */
export interface AgentControls {
  readonly state: () => AgentState;
  readonly renew: (limits: Limits) => AgentState;
  readonly lock: () => void;
}

/** The longest time that an agent may be asked to stay: 30 days. */
export const MAX_TIME_MS: number = 30 * 86_400_000;

const time = v.pipe(v.number(), v.safeInteger(), v.minValue(1_000), v.maxValue(MAX_TIME_MS));

export const limitsSchema: v.GenericSchema<unknown, Limits> = v.strictObject({
  forMs: time,
  idleMs: v.optional(time),
});

export function agentMethodsOf(controls: AgentControls): ServedMethods {
  return new Map<string, ServedMethod>([
    ['agent.state', { method: { kind: 'call', args: v.tuple([]) }, invoke: controls.state }],
    [
      'agent.renew',
      {
        method: { kind: 'call', args: v.tuple([limitsSchema]) },
        invoke: ([limits]) => controls.renew(v.parse(limitsSchema, limits)),
      },
    ],
    ['agent.lock', { method: { kind: 'call', args: v.tuple([]) }, invoke: controls.lock }],
  ]);
}
