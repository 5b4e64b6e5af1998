import * as v from 'valibot';
import { TransferModelError } from './errors.ts';
import { parseWith } from './schema.ts';

/**
 * - `pending`: offered, not begun.
 * - `active`: bytes move, or would if the peer were there.
 * - `paused`: by either side; goes on when it is resumed.
 * - `complete`: every byte is verified and kept.
 * - `cancelled`: given up by either side, for good.
 * - `failed`: stopped by an error. Whether it may be tried again is a property of the failure.
 */
export type TransferState = 'pending' | 'active' | 'paused' | 'complete' | 'cancelled' | 'failed';

const NEXT_STATES: Readonly<Record<TransferState, readonly TransferState[]>> = {
  // A pause is possible before the first byte: by a person, or for want of space.
  pending: ['active', 'paused', 'cancelled', 'failed'],
  active: ['paused', 'complete', 'cancelled', 'failed'],
  // Not to `complete`: the last bytes are verified by an active transfer.
  paused: ['active', 'cancelled', 'failed'],
  failed: ['active', 'cancelled'],
  complete: [],
  cancelled: [],
};

export const TRANSFER_STATES: readonly TransferState[] = [
  'pending',
  'active',
  'paused',
  'complete',
  'cancelled',
  'failed',
];

/** The states that a transfer may go on from after a restart, `failed` only when its failure was not final. */
export const RESUMABLE_STATES: readonly TransferState[] = ['pending', 'active', 'paused', 'failed'];

/** A state is never its own successor. */
export function canTransition(from: TransferState, to: TransferState): boolean {
  return NEXT_STATES[from].includes(to);
}

/** The state `to`. Throws `ILLEGAL_TRANSITION`. */
export function transition(from: TransferState, to: TransferState): TransferState {
  if (!canTransition(from, to)) {
    throw new TransferModelError('ILLEGAL_TRANSITION', `a transfer that is ${from} cannot become ${to}`);
  }
  return to;
}

/** Whether nothing can follow. */
export function isTerminal(state: TransferState): boolean {
  return NEXT_STATES[state].length === 0;
}

const SCHEMA = v.picklist(TRANSFER_STATES, `must be one of ${TRANSFER_STATES.join(', ')}`);

/** Throws `INVALID`. */
export function parseTransferState(value: unknown): TransferState {
  return parseWith(SCHEMA, 'a transfer state', value);
}
