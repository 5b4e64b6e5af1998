import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COFFER, runInTerminal } from '../support/coffer.ts';

const missing = ['dbus-run-session', 'gnome-keyring-daemon', 'secret-tool'].filter(
  (program) => spawnSync('which', [program]).status !== 0,
);

/** Runs a command in a session bus of its own, with the keyring of `$XDG_DATA_HOME` unlocked, locked, or not at all. */
const SESSION = `
# The daemon of the session before may not have ended yet. One that finds another in its runtime folder leaves the work to that, which is not on this bus.
keyring=$(mktemp -d "$XDG_RUNTIME_DIR/keyring-XXXXXX")
case $KEYRING in
  unlocked) printf pw | XDG_RUNTIME_DIR=$keyring gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 ;;
  locked) XDG_RUNTIME_DIR=$keyring gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1 ;;
esac
# The daemon goes to the background before its name is on the bus.
for attempt in $(seq 2400); do
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true' && break
  sleep 0.05
done
exec "$@"
`;

describe.skipIf(missing.length > 0)(`with a keychain (missing: ${missing.join(', ') || 'nothing'})`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coffer-cli-keychain-'));
    for (const name of ['run', 'data', 'home']) mkdirSync(join(folder, name), { mode: 0o700 });
    writeFileSync(join(folder, 'pass'), 'correct horse battery');
  });
  afterAll(() => {
    // The daemons end by themselves, and remove their sockets.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  const command = (keyring: string, args: readonly string[]): readonly string[] =>
    keyring === 'none' ? args : ['dbus-run-session', '--', 'sh', '-c', SESSION, 'sh', ...args];
  const environment = (keyring: string): Record<string, string> => ({
    KEYRING: keyring,
    COFFER_VAULT: join(folder, 'vault'),
    HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    DBUS_SESSION_BUS_ADDRESS: '',
  });
  const runRaw = (keyring: string, args: readonly string[]) => {
    const [program = '', ...rest] = command(keyring, args);
    return spawnSync(program, rest, {
      env: { PATH: process.env['PATH'] ?? '', ...environment(keyring) },
      encoding: 'utf8',
    });
  };
  const run = (keyring: string, ...args: readonly string[]) => runRaw(keyring, [...COFFER, ...args]);

  test('a vault is made with it, opens without a question, and offers the rest by name when it does not', async () => {
    const made = run('unlocked', 'init', '--keychain', '--recovery-code-file', join(folder, 'code'));
    expect([made.status, made.stdout]).toEqual([0, '']);
    expect(run('unlocked', 'add', join(folder, 'pass')).status).toBe(0);
    expect(
      run('unlocked', 'key', 'add', '--new-passphrase-file', join(folder, 'pass'), '--label', 'desk').status,
    ).toBe(0);

    const locked = run('locked', 'ls', '--no-input');
    expect([locked.status, locked.stdout]).toEqual([4, '']);
    expect(locked.stderr).toMatch(/error: the keychain is locked/);
    expect(locked.stderr).toMatch(
      /hint: .*recovery code \(slot [0-9a-f]{8}\) or the passphrase “desk” \(slot/,
    );
    expect(run('none', 'ls', '--passphrase-file', join(folder, 'pass')).stdout).toContain('pass');

    // Somebody at a terminal is warned, and asked for the passphrase instead.
    const asked = await runInTerminal([...COFFER, 'ls'], {
      env: environment('none'),
      steps: [{ wait: 'Passphrase of .*or its recovery code', type: 'correct horse battery\r' }],
    });
    expect([asked.status, asked.stepsLeft]).toEqual([0, 0]);
    expect(asked.screen).toMatch(/this machine has no keychain/);

    // An older copy that is put back is noticed, and can be accepted.
    cpSync(join(folder, 'vault'), join(folder, 'older'), { recursive: true });
    expect(run('unlocked', 'tag', 'pass', 'x').status).toBe(0);
    rmSync(join(folder, 'vault'), { recursive: true });
    renameSync(join(folder, 'older'), join(folder, 'vault'));
    chmodSync(join(folder, 'vault'), 0o700);
    expect(run('unlocked', 'tag', 'pass', 'x').status).toBe(14);
    const checked = run('unlocked', 'check', '--quick', '--json');
    expect([checked.status, checked.stdout]).toEqual([30, expect.stringContaining('ROLLED_BACK') as string]);
    expect(run('unlocked', 'key', 'accept-rollback', '-y').status).toBe(0);
    expect(run('unlocked', 'tag', 'pass', 'x').status).toBe(0);

    runRaw('unlocked', ['secret-tool', 'clear', 'service', 'coffer']);
    const gone = run('unlocked', 'ls', '--no-input', '--json');
    expect(gone.status).toBe(12);
    // The session's own bus has its say on stderr, too.
    const [error = ''] = gone.stderr.split('\n').filter((line) => line.startsWith('{'));
    expect(JSON.parse(error)).toMatchObject({ code: 'KEYCHAIN_ITEM_MISSING', exitCode: 12 });
    expect(run('unlocked', 'ls', '--recovery-code-file', join(folder, 'code')).status).toBe(0);
  });

  test('rotating the root key with a locked keychain says to unlock it, and never to drop its slot', () => {
    const vault = ['--vault', join(folder, 'rotated')];
    const secret = ['--passphrase-file', join(folder, 'pass')];
    expect(run('unlocked', 'init', ...vault, ...secret).status).toBe(0);
    const added = run('unlocked', 'key', 'add', '--keychain', ...vault, ...secret);
    const id = added.stdout.trim();
    expect(id).toMatch(/^[0-9a-f]{8}$/);

    const locked = run('locked', 'key', 'rotate', '--no-input', ...vault, ...secret);
    expect([locked.status, locked.stdout]).toEqual([4, '']);
    expect(locked.stderr).toMatch(/error: the keychain is locked: nobody is asked to unlock it\n/);
    expect(locked.stderr).toMatch(/hint: unlock it/);
    expect(locked.stderr).not.toContain('--drop');

    const none = run('none', 'key', 'rotate', ...vault, ...secret);
    expect([none.status, none.stderr]).toEqual([
      4,
      expect.stringMatching(/no keychain.*\n.*--drop ID/) as string,
    ]);
    expect(run('none', 'key', 'ls', ...vault).stdout).toContain(id);

    // Its item is gone: then it is a slot of another machine, as far as this one knows.
    expect(run('unlocked', 'key', 'rotate', '-n', ...vault, ...secret).stdout).toMatch(/kept/);
    runRaw('unlocked', ['secret-tool', 'clear', 'service', 'coffer']);
    const missing = run('unlocked', 'key', 'rotate', ...vault, ...secret);
    expect([missing.status, missing.stderr]).toEqual([4, expect.stringContaining(`--drop ${id}`) as string]);
    expect(run('locked', 'key', 'rotate', '-y', '--drop', id, ...vault, ...secret).status).toBe(0);
  });

  test('what it has of a vault that is gone is listed, and forgotten only on request', async () => {
    const vault = ['--vault', join(folder, 'gone')];
    const secret = ['--passphrase-file', join(folder, 'pass')];
    expect(run('unlocked', 'init', ...vault, ...secret).status).toBe(0);
    const slotId = run('unlocked', 'key', 'add', '--keychain', ...vault, ...secret).stdout.trim();
    const list = (): { vaultId: string; slotIds: string[]; here: boolean }[] =>
      run('unlocked', 'key', 'keychain', '--json', ...vault)
        .stdout.split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { vaultId: string; slotIds: string[]; here: boolean });
    const { vaultId = '' } = list().find((each) => each.slotIds.includes(slotId)) ?? {};
    expect(list()).toContainEqual({
      v: 1,
      type: 'keychain',
      vaultId,
      slotIds: [slotId],
      evidenceCount: 1,
      here: true,
    });
    rmSync(join(folder, 'gone'), { recursive: true });
    expect(list().find((each) => each.vaultId === vaultId)?.here).toBe(false);
    expect(run('unlocked', 'key', 'keychain', ...vault).stdout).toMatch(
      new RegExp(`^${vaultId} {2}1 key slot {2}remembers 1 copy`, 'm'),
    );

    const forget = ['key', 'keychain', '--forget', vaultId, ...vault];
    const unasked = run('unlocked', ...forget, '--no-input');
    expect([unasked.status, unasked.stderr]).toEqual([4, expect.stringContaining('-y') as string]);
    const asked = await runInTerminal(command('unlocked', [...COFFER, ...forget]), {
      env: environment('unlocked'),
      steps: [{ wait: `Forget what the keychain has of vault ${vaultId}`, type: 'n' }],
    });
    expect([asked.status, asked.stepsLeft], asked.screen).toEqual([5, 0]);
    expect(run('unlocked', ...forget, '-y').status).toBe(0);
    expect(list().some((each) => each.vaultId === vaultId)).toBe(false);
    expect(run('unlocked', ...forget, '-y').status).toBe(15);
    expect(run('unlocked', 'key', 'keychain', '--forget', vaultId.slice(0, 8), ...vault).status).toBe(2);
    expect(run('none', 'key', 'keychain', ...vault).status).toBe(4);
  });

  test('an agent opens the vault with it, and then no command needs it', () => {
    const vault = ['--vault', join(folder, 'served')];
    const code = ['--recovery-code-file', join(folder, 'served-code')];
    expect(run('unlocked', 'init', '--keychain', ...code, ...vault).status).toBe(0);
    expect(run('locked', 'unlock', '--no-input', ...vault).status).toBe(4);
    expect(run('unlocked', 'unlock', '--no-input', '--for', '20min', ...vault).status).toBe(0);
    expect(run('none', 'add', join(folder, 'pass'), '--no-input', ...vault).status).toBe(0);
    expect(run('none', 'ls', '--no-input', ...vault).stdout).toBe('pass\n');
    expect(run('none', 'lock', ...vault).stderr).toBe('Locked.\n');
    expect(run('none', 'ls', '--no-input', ...vault).status).toBe(4);
  });
});
