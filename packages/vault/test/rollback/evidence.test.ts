import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isKeychainLikely } from '../../src/keychain/reachable.ts';
import { encodeEvidence, parseEvidence } from '../../src/rollback/evidence.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('evidence comes back as it was written', () => {
  const counter = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(counter, counter, (commits, generation) => {
      const evidence = { commits, generation: generation + 1 };
      expect(parseEvidence(encodeEvidence(evidence))).toEqual(evidence);
    }),
  );
});

test.each([
  '',
  'coffer-evidence-v1:',
  'coffer-evidence-v1:1',
  'coffer-evidence-v1:-1:1',
  'coffer-evidence-v1:01:1',
  'coffer-evidence-v1:1:0',
  'coffer-evidence-v1:1:1 ',
  'coffer-evidence-v1:1e9:1',
  'coffer-evidence-v2:1:1',
  `coffer-evidence-v1:${'9'.repeat(17)}:1`,
])('%j is no evidence', (text) => {
  expect(parseEvidence(bytesOf(text))).toBeUndefined();
});

test('on Linux a keychain is looked for in a session only', () => {
  expect(isKeychainLikely('linux', {})).toBe(false);
  expect(isKeychainLikely('linux', { DBUS_SESSION_BUS_ADDRESS: '' })).toBe(false);
  expect(isKeychainLikely('linux', { XDG_RUNTIME_DIR: '/nowhere' })).toBe(false);
  expect(isKeychainLikely('linux', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/bus' })).toBe(true);
  expect(isKeychainLikely('darwin', {})).toBe(true);
});
