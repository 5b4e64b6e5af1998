import { RESUMABLE_STATES, TRANSFER_STATES, canTransition } from '@coffer/transfer-models';
import type { TransferState } from '@coffer/transfer-models';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatabaseError } from '../src/index.ts';
import type { CofferDatabase, NewTransfer, TransferTable } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { newDatabase, randomId, reopen } from './support/sample-database.ts';

const STATES = TRANSFER_STATES;
const LOST = { code: 'LOST', message: 'the peer is gone', retryable: true };
const REFUSED = { code: 'REFUSED', message: 'the peer said no', retryable: false };

function newTransfer(overrides: Partial<NewTransfer> = {}): NewTransfer {
  return {
    id: `t-${randomId()}`,
    direction: 'receive',
    name: 'film.mp4',
    mimeType: 'video/mp4',
    sizeBytes: 1000,
    chunkSizeBytes: 100,
    ...overrides,
  };
}

/** Brings a new transfer into a state by legal steps. */
function transferIn(transfers: TransferTable, state: TransferState): string {
  const { id } = transfers.create(newTransfer());
  if (state === 'pending') return id;
  transfers.activate(id);
  if (state === 'paused') transfers.pause(id);
  if (state === 'cancelled') transfers.cancel(id);
  if (state === 'failed') transfers.fail(id, LOST);
  if (state === 'complete') {
    transfers.recordProgress(id, 1000);
    transfers.complete(id);
  }
  return id;
}

function moveTo(transfers: TransferTable, id: string, state: TransferState): void {
  if (state === 'active') transfers.activate(id);
  if (state === 'paused') transfers.pause(id);
  if (state === 'complete') transfers.complete(id);
  if (state === 'cancelled') transfers.cancel(id);
  if (state === 'failed') transfers.fail(id, LOST);
}

describe('a transfer', () => {
  test('is created pending, and found again after a restart as it was', () => {
    const database = newDatabase();
    const full = newTransfer({ peer: 'peer-1', sha256: new Uint8Array(32).fill(1), fileId: randomId() });
    const bare = newTransfer({ direction: 'send' });
    const made = [database.transfers.create(full, 10), database.transfers.create(bare, 20)];
    expect(made[0]).toStrictEqual({
      ...full,
      state: 'pending',
      verifiedBytes: 0,
      error: undefined,
      createdAtMs: 10,
      updatedAtMs: 10,
    });
    expect(made[1]).toMatchObject({ peer: undefined, sha256: undefined, fileId: undefined });
    database.close();
    expect(reopen(database.path).transfers.listResumable()).toStrictEqual(made);
  });

  test('goes its way: progress, pause, resume, complete', () => {
    const { transfers } = newDatabase();
    const { id } = transfers.create(newTransfer(), 1);
    expect(transfers.activate(id, 2)).toMatchObject({ state: 'active', updatedAtMs: 2 });
    transfers.recordProgress(id, 300, 3);
    expect(transfers.pause(id, 4)).toMatchObject({ state: 'paused', verifiedBytes: 300, updatedAtMs: 4 });
    expect(transfers.resume(id, 5).state).toBe('active');
    transfers.recordProgress(id, 1000, 6);
    const fileId = randomId();
    const sha256 = new Uint8Array(32).fill(5);
    const done = transfers.complete(id, { fileId, sha256 }, 7);
    expect(done).toMatchObject({ state: 'complete', fileId, sha256, createdAtMs: 1, updatedAtMs: 7 });
    expect(transfers.get(id)).toStrictEqual(done);
  });

  test('keeps why it failed until it is resumed', () => {
    const { transfers } = newDatabase();
    const id = transferIn(transfers, 'active');
    transfers.recordProgress(id, 500);
    expect(transfers.fail(id, LOST)).toMatchObject({ state: 'failed', error: LOST, verifiedBytes: 500 });
    expect(transfers.resume(id)).toMatchObject({ state: 'active', error: undefined, verifiedBytes: 500 });
  });

  test('is not resumed after a failure that is final', () => {
    const { transfers } = newDatabase();
    const id = transferIn(transfers, 'active');
    transfers.fail(id, REFUSED);
    expectError('ILLEGAL_TRANSITION', () => transfers.resume(id));
    expectError('ILLEGAL_TRANSITION', () => transfers.activate(id));
    expect(transfers.listResumable()).toEqual([]);
    expect(transfers.get(id).error).toEqual(REFUSED);
  });

  test('that was never active is activated, not resumed', () => {
    const { transfers } = newDatabase();
    expectError('ILLEGAL_TRANSITION', () => transfers.resume(transferIn(transfers, 'pending')));
  });

  test('is complete only when every byte is verified', () => {
    const { transfers } = newDatabase();
    const id = transferIn(transfers, 'active');
    transfers.recordProgress(id, 999);
    expectError('INVALID', () => transfers.complete(id));
    expect(transfers.get(id).state).toBe('active');
    const empty = transfers.create(newTransfer({ sizeBytes: 0 }));
    transfers.activate(empty.id);
    expect(transfers.complete(empty.id).state).toBe('complete');
  });

  test('that is not there is not found, by any method', () => {
    const { transfers } = newDatabase();
    expect(transfers.find('x')).toBeUndefined();
    expect(transfers.remove('x')).toBe(false);
    expectError('NOT_FOUND', () => transfers.get('x'));
    expectError('NOT_FOUND', () => transfers.pause('x'));
    expectError('NOT_FOUND', () => {
      transfers.recordProgress('x', 1);
    });
  });

  test('with an id that is taken is refused', () => {
    const { transfers } = newDatabase();
    const transfer = newTransfer();
    transfers.create(transfer);
    expectError('EXISTS', () => transfers.create({ ...transfer, name: 'other' }));
    expect(transfers.get(transfer.id).name).toBe('film.mp4');
  });

  test('that cannot be one is refused', () => {
    const { transfers } = newDatabase();
    const wrong: Partial<NewTransfer>[] = [
      { id: '' },
      { name: '' },
      { name: 'x'.repeat(5000) },
      { peer: '' },
      { sizeBytes: -1 },
      { chunkSizeBytes: 0 },
      { sha256: new Uint8Array(31) },
      { direction: 'up' as 'send' },
    ];
    for (const overrides of wrong) expectError('INVALID', () => transfers.create(newTransfer(overrides)));
    expect(transfers.list()).toEqual([]);
  });
});

test.each(STATES.flatMap((from) => STATES.filter((to) => to !== 'pending').map((to) => [from, to] as const)))(
  'from %s to %s as the transition table says',
  (from, to) => {
    const database = newDatabase();
    const id = transferIn(database.transfers, from);
    if (from === 'active' && to === 'complete') database.transfers.recordProgress(id, 1000);
    const before = database.transfers.get(id);
    if (canTransition(from, to)) {
      moveTo(database.transfers, id, to);
      expect(database.transfers.get(id).state).toBe(to);
    } else {
      expectError('ILLEGAL_TRANSITION', () => {
        moveTo(database.transfers, id, to);
      });
      expect(database.transfers.get(id)).toStrictEqual(before);
    }
  },
);

test('a transition that is refused undoes the transaction that it is part of', () => {
  const database = newDatabase();
  const id = transferIn(database.transfers, 'complete');
  const work = (): void => {
    database.settings.set('a', 'b');
    database.transfers.pause(id);
  };
  expectError('ILLEGAL_TRANSITION', () => {
    database.transaction(work);
  });
  expect(database.settings.get('a')).toBeUndefined();
});

describe('progress', () => {
  test('never goes back nor beyond the end', () => {
    const { transfers } = newDatabase();
    const id = transferIn(transfers, 'active');
    transfers.recordProgress(id, 500);
    transfers.recordProgress(id, 500);
    for (const wrong of [499, 0, 1001, -1, 500.5]) {
      expectError('INVALID', () => {
        transfers.recordProgress(id, wrong);
      });
    }
    expect(transfers.get(id).verifiedBytes).toBe(500);
  });

  test.each(STATES.filter((state) => state !== 'active'))('is refused while it is %s', (state) => {
    const { transfers } = newDatabase();
    const id = transferIn(transfers, state);
    expectError('ILLEGAL_TRANSITION', () => {
      transfers.recordProgress(id, 1000);
    });
  });

  test('and states hold under any order of calls', () => {
    const database = newDatabase();
    const action = fc.oneof(
      fc.constantFrom(...STATES.filter((state) => state !== 'pending')),
      fc.integer({ min: 0, max: 1000 }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const { id } = database.transfers.create(newTransfer());
        let before = database.transfers.get(id);
        for (const step of actions) {
          attempt(database, id, step);
          const after = database.transfers.get(id);
          expect(after.verifiedBytes).toBeGreaterThanOrEqual(before.verifiedBytes);
          if (after.state !== before.state) expect(canTransition(before.state, after.state)).toBe(true);
          expect(after.error !== undefined).toBe(after.state === 'failed');
          before = after;
        }
      }),
      { numRuns: 50 },
    );
  });
});

function attempt(database: CofferDatabase, id: string, step: TransferState | number): void {
  try {
    if (typeof step === 'number') database.transfers.recordProgress(id, step);
    else moveTo(database.transfers, id, step);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    expect(['ILLEGAL_TRANSITION', 'INVALID']).toContain(error.code);
  }
}

describe('listing', () => {
  test('shows the newest first, by state and direction', () => {
    const { transfers } = newDatabase();
    const ids = [1, 2, 3].map(
      (time) => transfers.create(newTransfer({ direction: time === 2 ? 'send' : 'receive' }), time).id,
    );
    transfers.activate(ids[2] ?? '', 9);
    const listed = (query: Parameters<TransferTable['list']>[0]): string[] =>
      transfers.list(query).map((row) => row.id);
    expect(listed({})).toEqual([...ids].reverse());
    expect(listed({ limit: 1 })).toEqual(ids.slice(2));
    expect(listed({ direction: 'send' })).toEqual(ids.slice(1, 2));
    expect(listed({ state: 'active' })).toEqual(ids.slice(2));
    expect(listed({ state: 'active', direction: 'send' })).toEqual([]);
    expectError('INVALID', () => transfers.list({ limit: 0 }));
    expect(transfers.remove(ids[0] ?? '')).toBe(true);
    expect(listed({})).toHaveLength(2);
  });

  test('what can be resumed is what the model says, oldest first, and names the files being filled', () => {
    const { transfers } = newDatabase();
    const resumable: string[] = [];
    for (const state of STATES) {
      const id = transferIn(transfers, state);
      if (RESUMABLE_STATES.includes(state)) resumable.push(id);
    }
    expect(
      transfers
        .listResumable()
        .map((row) => row.id)
        .sort(),
    ).toEqual(resumable.sort());

    const fileId = randomId();
    expect(transfers.isResumableFile(fileId)).toBe(false);
    const { id } = transfers.create(newTransfer({ fileId }));
    expect(transfers.isResumableFile(fileId)).toBe(true);
    transfers.cancel(id);
    expect(transfers.isResumableFile(fileId)).toBe(false);
  });
});
