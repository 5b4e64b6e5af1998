import * as cli from '@coffer/cli';
import { expect, test } from 'vitest';

test('the package exports these names', () => {
  expect(Object.keys(cli)).toEqual(['EXIT_CODES', 'main']);
});
