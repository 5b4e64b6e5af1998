import fc from 'fast-check';
import { ITEMS, VALUES, readCommands } from './words.ts';
import type { CommandWords } from './words.ts';

/** Command lines: a command of the table, options of its own and of all commands with right and wrong values, and items. */
export function argumentsArbitrary(): fc.Arbitrary<readonly string[]> {
  return fc
    .constantFrom(...readCommands())
    .chain((command) => fc.tuple(fc.constant(command), fc.array(wordsOf(command), { maxLength: 4 })))
    .chain(([{ path }, words]) =>
      fc.oneof(
        { arbitrary: fc.constant([...path, ...words.flat()]), weight: 6 },
        { arbitrary: fc.constant([...words.flat(), ...path]), weight: 1 },
        { arbitrary: fc.constant(words.flat()), weight: 1 },
      ),
    );
}

function wordsOf({ options }: CommandWords): fc.Arbitrary<readonly string[]> {
  const value = fc.oneof(
    { arbitrary: fc.constantFrom(...ITEMS), weight: 4 },
    { arbitrary: fc.constantFrom(...VALUES), weight: 4 },
    { arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map(insideSandbox), weight: 1 },
  );
  const option = fc
    .constantFrom(...options)
    .chain(({ flag, takesValue, choices }): fc.Arbitrary<readonly string[]> => {
      if (!takesValue) return fc.constant([flag]);
      const given = choices.length > 0 ? fc.oneof(fc.constantFrom(...choices), value) : value;
      return fc.oneof(
        { arbitrary: given.map((each): readonly string[] => [flag, each]), weight: 6 },
        { arbitrary: given.map((each): readonly string[] => [`${flag}=${each}`]), weight: 3 },
        { arbitrary: fc.constant([flag]), weight: 1 },
      );
    });
  const item = fc.constantFrom(...ITEMS).map((each): readonly string[] => [each]);
  const anything = value.map((each): readonly string[] => [each]);
  return fc.oneof(
    { arbitrary: option, weight: 4 },
    { arbitrary: item, weight: 4 },
    { arbitrary: anything, weight: 1 },
  );
}

/** No path that leads to what is not ours: command lines are run, and some of them write. */
function insideSandbox(text: string): string {
  return text
    .replaceAll('..', '.')
    .replace(/^[\\/]+/, '')
    .replace(/^~/, '');
}
