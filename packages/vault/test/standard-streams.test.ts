import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const INDEX = join(import.meta.dirname, '../src/index.ts');

// Node makes its standard streams when they are first asked for, as the names of 'node:process' are; pipes are non-blocking then, and a plain read of stdin fails.
test.skipIf(process.platform !== 'linux')(
  'importing the package leaves the standard streams of a program as they were',
  () => {
    const program = `
      await import(${JSON.stringify(INDEX)});
      const { readFileSync } = await import('node:fs');
      console.log([0, 2].map((fd) => /flags:\\s*(\\d+)/.exec(readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1]).join());
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@coffer/source', '--input-type=module', '--eval', program],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    expect(stderr).toBe('');
    const flags = stdout.trim().split(',');
    expect(flags).toHaveLength(2);
    const O_NONBLOCK = 0o4000;
    expect(flags.map((each) => Number.parseInt(each, 8) & O_NONBLOCK)).toEqual([0, 0]);
  },
);
