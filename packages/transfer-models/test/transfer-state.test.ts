import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  RESUMABLE_STATES,
  TRANSFER_DIRECTIONS,
  TRANSFER_STATES,
  canTransition,
  isTerminal,
  parseTransferDirection,
  parseTransferState,
  transition,
} from '../src/index.ts';
import type { TransferState } from '../src/index.ts';
import { expectError, expectParserToHold } from './expect-error.ts';

// Written out a second time on purpose: rows are what is, columns are what shall be.
const TABLE: Record<TransferState, string> = {
  //          pending active paused complete cancelled failed
  pending: '  -       yes    yes    -        yes       yes ',
  active: '   -       -      yes    yes      yes       yes ',
  paused: '   -       yes    -      -        yes       yes ',
  complete: ' -       -      -      -        -         -   ',
  cancelled: '-       -      -      -        -         -   ',
  failed: '   -       yes    -      -        yes       -   ',
};

describe.each(TRANSFER_STATES)('a transfer that is %s', (from) => {
  const cells = TABLE[from].trim().split(/\s+/);

  test.each(TRANSFER_STATES.map((to, index) => [to, cells[index] === 'yes'] as const))(
    'becomes %s: %s',
    (to, allowed) => {
      expect(canTransition(from, to)).toBe(allowed);
      if (allowed) expect(transition(from, to)).toBe(to);
      else {
        const message = expectError('ILLEGAL_TRANSITION', () => transition(from, to));
        expect(message).toBe(`a transfer that is ${from} cannot become ${to}`);
      }
    },
  );

  test('is terminal exactly when its row has no successor', () => {
    expect(isTerminal(from)).toBe(!cells.includes('yes'));
  });

  test('can be resumed exactly when it is not terminal', () => {
    expect(RESUMABLE_STATES.includes(from)).toBe(!isTerminal(from));
  });
});

test('every order of legal steps ends in at most one terminal state, and stays there', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...TRANSFER_STATES), { maxLength: 40 }), (wishes) => {
      let state: TransferState = 'pending';
      let ended = false;
      for (const wish of wishes) {
        if (!canTransition(state, wish)) continue;
        expect(ended).toBe(false);
        state = transition(state, wish);
        ended = isTerminal(state);
      }
    }),
  );
});

describe('parsing', () => {
  test.each(TRANSFER_STATES)('the state %s is read', (state) => {
    expect(parseTransferState(state)).toBe(state);
  });

  test.each(TRANSFER_DIRECTIONS)('the direction %s is read', (direction) => {
    expect(parseTransferDirection(direction)).toBe(direction);
  });

  test.each([
    '',
    'Active',
    'active ',
    'toString',
    '__proto__',
    0,
    null,
    undefined,
    ['active'],
    new String('active'),
  ])('%j is neither a state nor a direction', (value) => {
    expectError('INVALID', () => parseTransferState(value));
    expectError('INVALID', () => parseTransferDirection(value));
  });

  test('any value at all is read or refused', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
        expectParserToHold(parseTransferState, value);
        expectParserToHold(parseTransferDirection, value);
      }),
    );
  });
});
