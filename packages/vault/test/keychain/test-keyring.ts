import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const NEEDED = ['dbus-daemon', 'dbus-send', 'gnome-keyring-daemon', 'secret-tool'];

/** What is missing here to test with a real keychain. */
export const missingForKeyring: readonly string[] =
  process.platform === 'linux'
    ? NEEDED.filter((program) => spawnSync('which', [program]).status !== 0)
    : ['Linux'];

/**
 * For tests on a keyring that others have used before. gnome-keyring 42.1 crashes by itself in one of thousands of calls; the bus then ends the call in these words, which nothing that is tested can
 * bring about. Such a test, and no other, begins anew with a keyring that runs.
 */
export const AGAIN_WHEN_IT_CRASHES = {
  retry: { count: 2, condition: /disconnected from message bus/ },
} as const;

const BUS_CONFIG = (services: string, sockets: string): string => `<busconfig>
  <type>session</type>
  <listen>unix:dir=${sockets}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${services}</servicedir>
  <limit name="service_start_timeout">60000</limit>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/**
 * A session bus and, until it is stopped, a gnome-keyring on it, both of their own and apart from those of whoever runs the tests. While it is there, this process's
 * environment points to it, and so do the processes that it starts; with `isApart` only those that are given `env`.
 */
export class TestKeyring implements AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #bus: ChildProcess;
  #daemon: ChildProcess | undefined;
  #isLocked = false;
  readonly #before = new Map<string, string | undefined>();

  private constructor(folder: string, data: string, bus: ChildProcess, address: string, isApart: boolean) {
    this.#folder = folder;
    this.#bus = bus;
    this.env = {
      DBUS_SESSION_BUS_ADDRESS: address,
      XDG_RUNTIME_DIR: join(folder, 'run'),
      XDG_DATA_HOME: data,
      HOME: join(folder, 'home'),
    };
    if (isApart) return;
    for (const [name, value] of Object.entries(this.env)) {
      this.#before.set(name, process.env[name]);
      process.env[name] = value;
    }
  }

  /**
   * Without `daemon`, a session that has no keychain. Nobody is there to answer questions: they are dismissed at once, or, with `isSilent`, never. What it holds is
   * kept in the folder `data`, for a session after this one, or else is gone with it.
   */
  static async start(
    options: { daemon?: boolean; isSilent?: boolean; isApart?: boolean; data?: string } = {},
  ): Promise<TestKeyring> {
    const folder = mkdtempSync(join(tmpdir(), 'coffer-keyring-'));
    const data = options.data ?? join(folder, 'data');
    mkdirSync(data, { mode: 0o700, recursive: true });
    for (const name of ['run', 'home', 'services']) mkdirSync(join(folder, name), { mode: 0o700 });
    if (options.isSilent === true) {
      writeFileSync(
        join(folder, 'services', 'prompter.service'),
        `[D-BUS Service]\nName=org.gnome.keyring.SystemPrompter\nExec=/bin/sh -c ": >${folder}/asked; exec sleep 60"\n`,
      );
    }
    writeFileSync(join(folder, 'bus.conf'), BUS_CONFIG(join(folder, 'services'), folder));
    const bus = spawn(
      'dbus-daemon',
      [`--config-file=${join(folder, 'bus.conf')}`, '--nofork', '--print-address=1'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [address] = (await once(createInterface({ input: bus.stdout }), 'line')) as [string];
    const keyring = new TestKeyring(folder, data, bus, address, options.isApart === true);
    if (options.daemon !== false) await keyring.startDaemon();
    return keyring;
  }

  /** Starts the keyring with its collection unlocked, unless it runs so. */
  async startDaemon(): Promise<void> {
    if (this.#daemon === undefined || hasEnded(this.#daemon) || this.#isLocked) await this.restartDaemon();
  }

  /** The same in any case: a keyring may crash a while after a client of its was killed that waited for an answer. */
  async restartDaemon(): Promise<void> {
    await this.stopDaemon();
    this.#isLocked = false;
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: this.#environment,
    });
    this.#daemon = daemon;
    daemon.stdin.on('error', () => undefined).end('the password of the login');
    while (this.#collections() === '') {
      if (hasEnded(daemon)) throw new Error('gnome-keyring did not start');
      await delay(25);
    }
  }

  async stopDaemon(): Promise<void> {
    if (this.#daemon !== undefined) await end(this.#daemon);
    this.#daemon = undefined;
  }

  /** What a session does when the screen is locked for long, or the person asks for it. */
  lock(): void {
    this.#isLocked = true;
    const path = '/org/freedesktop/secrets/collection/login';
    const answer = this.#send('org.freedesktop.Secret.Service.Lock', `array:objpath:${path}`);
    if (!answer.includes(path)) throw new Error('gnome-keyring does not lock');
  }

  /** Whether the keychain has asked anybody anything; with `isSilent`. */
  get hasAsked(): boolean {
    return existsSync(join(this.#folder, 'asked'));
  }

  /** How many items the keychain holds. */
  itemCount(): number {
    const answer = this.#send(
      'org.freedesktop.Secret.Service.SearchItems',
      'dict:string:string:service,coffer',
    );
    return answer.split('object path').length - 1;
  }

  /** The names of the items that the keychain holds. */
  accounts(): string[] {
    const { stdout, stderr } = spawnSync('secret-tool', ['search', '--all', 'service', 'coffer'], {
      encoding: 'latin1',
      env: this.#environment,
    });
    return Array.from(
      `${stdout}${stderr}`.matchAll(/^attribute\.username = (.*)$/gm),
      ([, name = '']) => name,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopDaemon();
    await end(this.#bus);
    for (const [name, value] of this.#before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.env };
  }

  #collections(): string {
    const answer = this.#send(
      'org.freedesktop.DBus.Properties.Get',
      'string:org.freedesktop.Secret.Service',
      'string:Collections',
    );
    return /object path "(\S*login)"/.exec(answer)?.[1] ?? '';
  }

  #send(method: string, ...args: readonly string[]): string {
    const target = ['--dest=org.freedesktop.secrets', '/org/freedesktop/secrets', method];
    const options = { encoding: 'utf8', env: this.#environment } as const;
    return spawnSync('dbus-send', ['--session', '--print-reply', ...target, ...args], options).stdout;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A keyring now and then ends by itself, when a client of its is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
