import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgentLog } from '../src/agent/agent-log.ts';

test('two files of a mebibyte are kept, for this user only', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-log-'));
  try {
    const path = join(folder, 'agent.log');
    using log = new AgentLog(path, () => 0);
    for (let index = 0; index < 3_000; index += 1) log.write(`${String(index)} ${'x'.repeat(1_000)}`);
    for (const name of [path, `${path}.1`]) {
      expect(statSync(name).size).toBeLessThanOrEqual(1_048_576);
      expect(statSync(name).mode & 0o777).toBe(0o600);
    }
    expect(existsSync(`${path}.2`)).toBe(false);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)).toMatch(
      /^1970-01-01T00:00:00\.000Z 2999 x/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
