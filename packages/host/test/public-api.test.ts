import { expect, test } from 'vitest';
import * as host from '../src/index.ts';

test('the package exports these names', () => {
  expect(Object.keys(host).sort()).toMatchInlineSnapshot(`
    [
      "MAX_TIME_MS",
      "connectToAgent",
      "createLocalClient",
      "lockAgent",
      "unlockWithAgent",
    ]
  `);
});
