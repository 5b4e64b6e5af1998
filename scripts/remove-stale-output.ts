/** Removes from every dist/ what was made of a source that is no more: the compiler leaves it, and it would be published. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const packages = join(dirname(import.meta.dirname), 'packages');
for (const name of readdirSync(packages)) {
  const dist = join(packages, name, 'dist');
  if (!existsSync(dist)) continue;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const output = join(entry.parentPath, entry.name);
    const source = join(packages, name, 'src', relative(dist, output)).replace(
      /(\.d\.ts|\.js)(\.map)?$/,
      '.ts',
    );
    if (entry.isFile() && !existsSync(source)) rmSync(output);
  }
}
