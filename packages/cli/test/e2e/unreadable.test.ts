import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { DamagedVault } from '../support/damaged-vault.ts';
import { parseLines } from '../support/run-main.ts';

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

test.runIf(canTrace)(
  canTrace
    ? 'a file that the disk cannot read any more is named, with the command that mends it, and so is no other'
    : 'a file that the disk cannot read any more is named (needs strace)',
  async () => {
    const vault = await DamagedVault.makeTemplate();
    onTestFinished(() => {
      vault[Symbol.dispose]();
    });
    vault.makeWorkFolder();
    const item = "my docs/it's large.bin";
    const path = await vault.sealedPath(item);
    const startMs = Date.now();
    // A bad sector, as far as a process can tell.
    const trace = `strace -f -o /dev/null -P '${path}' -e trace=read,pread64 -e inject=read,pread64:error=EIO`;
    const { code, stdout } = await vault.shell(`${trace} coffer check --json`);
    expect(code).toBe(30);
    const found = parseLines(stdout).filter(({ type }) => type === 'finding');
    expect(found).toMatchObject([{ code: 'FILE_UNREADABLE', item, path: item, subject: 'file' }]);
    expect(found[0]?.['sinceMs']).toBeGreaterThanOrEqual(startMs);
    const { code: mended, stderr } = await vault.shell(String(found[0]?.['mend']));
    expect(mended, stderr).toBe(0);
    expect(await vault.findings(['check'])).toEqual([]);
  },
);
