import { writeFileSync } from 'node:fs';
import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isAffecting } from './closed-case.ts';
import type { ClosedCase } from './closed-case.ts';
import type { Kind } from './kind.ts';

/** Sealed files as they were before the root key was rotated, in the place of those of now. */
export const rotated: readonly Kind[] = [
  closedKind('an older sealed file put back after a rotation', oldSealedFiles, { isSlow: true }),
];

function* oldSealedFiles(sample: SampleVault): Generator<ClosedCase> {
  const sealed = sample.files.filter(({ sealedName }) => sealedName !== undefined);
  for (const reseal of [false, true]) {
    const after = reseal ? 'a rotation that sealed again' : 'a rotation';
    const each = (name: string, files: readonly SampleFile[]): ClosedCase => ({
      name: `${name}, after ${after}`,
      touches: [],
      damage: async () => {
        await rotate(sample, reseal);
        for (const file of files) writeFileSync(sample.sealedPath(file), sample.sealedBytes(file));
      },
      judge: (met) =>
        isAffecting(
          met,
          files.map(({ path }) => path),
        ),
    });
    for (const file of sealed) yield each(file.path, [file]);
    yield each('all of them', sealed);
  }
}

async function rotate(sample: SampleVault, reseal: boolean): Promise<void> {
  await using vault = await sample.open();
  const [first, ...others] = vault.slots().map(({ id }) => id);
  if (first === undefined) throw new Error('the sample vault has no slots');
  const keep = [{ slotId: first, secret: sample.secret }];
  for await (const event of vault.rotate({ keep, drop: others, reseal })) {
    if (event.type === 'problem') throw new Error(event.message);
  }
}
