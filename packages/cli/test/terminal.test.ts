import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hasPty, runInTerminal } from './support/coffer.ts';

const PROGRAM = [process.execPath, fileURLToPath(new URL('support/ask.ts', import.meta.url))];

test.skipIf(!hasPty)(
  'a passphrase is asked for on the terminal while all three streams are pipes (needs a python3 pty)',
  async () => {
    const { stdout, stderr, screen, status } = await runInTerminal([...PROGRAM, 'new'], {
      terminal: [],
      input: 'content on stdin',
      steps: [
        { wait: 'Secret', type: 'correct horse\r' },
        { wait: 'once more', type: 'correct horse\r' },
      ],
    });
    expect([status, stdout, stderr]).toEqual([0, 'correct horse; stdin: content on stdin', '']);
    expect(screen).not.toContain('horse');
  },
);

test.skipIf(!hasPty)(
  'Ctrl-C at a question gives the terminal back as it was (needs a python3 pty)',
  async () => {
    const command = `${PROGRAM.join(' ')} one; echo "ended $?"; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e icanon`;
    const { screen, status } = await runInTerminal(['sh', '-c', command], {
      steps: [{ wait: 'Secret', type: '\u0003' }],
    });
    expect(status).toBe(0);
    expect(screen).toMatch(/ended 130\s+icanon\s+echo/);
    expect(screen.lastIndexOf('\u001B[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001B[?25l'));
  },
);

test.skipIf(!hasPty)('a terminal that hangs up ends the question (needs a python3 pty)', async () => {
  const { status } = await runInTerminal([...PROGRAM, 'one'], {
    terminal: [],
    env: { IGNORE_HANGUP: '1' },
    steps: [{ wait: 'Secret', hangUp: true }],
  });
  expect(status).toBe(130);
});
