import { Vault } from '@coffer/vault';
import { expect, test } from 'vitest';
import { METHODS } from '../src/methods.ts';

/** Closing is its owner's business. */
const NOT_SERVED = ['constructor', 'close'];

test('every public method of a vault is in the table, and nothing else (add a row to src/methods.ts)', () => {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(Vault.prototype))
    .filter(([name, { value }]) => typeof value === 'function' && !NOT_SERVED.includes(name))
    .map(([name]) => name);
  expect(Object.keys(METHODS).toSorted()).toEqual(methods.toSorted());
});
