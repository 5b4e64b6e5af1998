import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

test('the demo succeeds and leaves nothing behind', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'coffer-demo-test-'));
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(dirname(import.meta.dirname), 'demo.ts')],
      {
        env: { ...process.env, TMPDIR: temporary, TEMP: temporary },
        encoding: 'utf8',
      },
    );
    expect(stderr).not.toContain('That is not right');
    expect(stdout).toContain('All of it was as it should be');
    expect(status).toBe(0);
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
});
