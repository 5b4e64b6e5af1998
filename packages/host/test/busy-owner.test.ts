import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { createKeyfile, createVault, openVault } from '@coffer/vault';
import type { Vault } from '@coffer/vault';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectToAgent, lockAgent } from '../src/connect/agent-client.ts';
import type { ConnectOptions } from '../src/connect/connect-to-owner.ts';
import { placesOfThisProcess } from '../src/place/runtime-folder.ts';
import type { RuntimePlaces } from '../src/place/runtime-folder.ts';
import { choosePlace, findAddresses, socketPath } from '../src/place/socket-place.ts';
import { encodeBody } from '../src/wire/body.ts';
import { FRAME, encodeHeader } from '../src/wire/frame.ts';
import { PROTOCOL_VERSION, releaseOfThisPackage } from '../src/wire/hello.ts';
import { makeFolder } from './support/folder.ts';

/** A client that asks soon whether the owner is alive, and gives it time to say so on a busy machine. */
const ASKING: ConnectOptions = { patienceMs: 100, deafMs: 10_000 };

/** An agent in a process of its own, whose thread can be kept busy. */
class BusyAgent {
  readonly directory: string;
  readonly places: RuntimePlaces;
  readonly options: ConnectOptions;
  readonly pid: number;
  /** Its exit code and the signal that ended it. */
  readonly end: Promise<unknown[]>;
  readonly #keyfile: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #gate: string;

  private constructor(folder: string, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.directory = join(folder, 'vault');
    this.places = { ...placesOfThisProcess(), env: { XDG_RUNTIME_DIR: join(folder, 'run') } };
    this.options = { ...ASKING, places: this.places };
    this.pid = child.pid ?? 0;
    this.end = once(child, 'exit');
    this.#keyfile = join(folder, 'key');
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#gate = join(folder, 'gate');
  }

  /** `prepare` is called with the folder of the vault before the agent opens it. */
  static async start(
    program = 'agent-to-keep-busy.ts',
    prepare: (directory: string) => void = () => undefined,
  ): Promise<BusyAgent> {
    const folder = makeFolder();
    mkdirSync(join(folder, 'run'), { mode: 0o700 });
    const path = join(folder, 'key');
    await createKeyfile(path);
    const directory = join(folder, 'vault');
    await (await createVault({ directory, secret: { kind: 'keyfile', path } })).close();
    prepare(directory);
    const script = join(import.meta.dirname, 'processes', program);
    const child = spawn(process.execPath, ['--conditions=@coffer/source', script, directory, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, XDG_RUNTIME_DIR: join(folder, 'run') },
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const agent = new BusyAgent(folder, child);
    expect(await agent.#says()).toBe('ready');
    return agent;
  }

  /** From when this resolves until `letGo` its thread does nothing else. */
  async keep(): Promise<void> {
    await this.#ask(`until ${this.#gate}`);
  }

  async keepForMs(timeMs: number): Promise<void> {
    await this.#ask(`for ${String(timeMs)}`);
  }

  letGo(): void {
    writeFileSync(this.#gate, '');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Stops it, and waits until each of its threads is: the signal takes its time on a busy machine, and one of them answers meanwhile. */
  async stop(): Promise<void> {
    this.signal('SIGSTOP');
    if (process.platform !== 'linux') return;
    const threads = `/proc/${String(this.pid)}/task`;
    const isRunning = (thread: string): boolean =>
      !readFileSync(join(threads, thread, 'stat'), 'utf8').includes(') T ');
    await expect.poll(() => readdirSync(threads).filter(isRunning)).toEqual([]);
  }

  /** Once it has ended. */
  async opensAgain(): Promise<void> {
    await (await this.open()).close();
  }

  async open(): Promise<Vault> {
    return await openVault({
      directory: this.directory,
      secret: { kind: 'keyfile', path: this.#keyfile },
    });
  }

  async #ask(line: string): Promise<void> {
    this.#child.stdin.write(`${line}\n`);
    expect(await this.#says()).toBe('busy');
  }

  async #says(): Promise<unknown> {
    return (await this.#lines.next()).value;
  }
}

test('an owner that is busy is waited for, said to be busy once, and answers when it is done', async () => {
  const agent = await BusyAgent.start();
  await agent.keep();
  const told: number[] = [];
  const connect = (onBusy: (pid: number) => void) =>
    connectToAgent(agent.directory, { ...agent.options, onBusy });
  const connecting = connect((pid) => told.push(pid));
  // Until those that came after it have asked whether the owner is alive, each after the one before, it has asked about as often.
  const others: (typeof connecting)[] = [];
  for (let asked = 0; asked < 5; asked += 1) {
    const noticed = Promise.withResolvers<number>();
    others.push(connect(noticed.resolve));
    expect(await noticed.promise).toBe(agent.pid);
  }
  agent.letGo();
  await using client = await connecting;
  expect((await client?.list())?.files).toEqual([]);
  expect(told).toEqual([agent.pid]);
  for (const other of others) await (await other)?.[Symbol.asyncDispose]();
});

test('locking waits for an owner that is busy', async () => {
  const agent = await BusyAgent.start();
  await agent.keep();
  const noticed = Promise.withResolvers<number>();
  const locking = lockAgent(agent.directory, { ...agent.options, onBusy: noticed.resolve });
  expect(await noticed.promise).toBe(agent.pid);
  agent.letGo();
  expect(await locking).toBe(true);
});

test('an owner that does not answer is told from a busy one, and serves when it goes on', async () => {
  const agent = await BusyAgent.start();
  await agent.stop();
  const told: number[] = [];
  // Sooner than it can be known that it is stopped.
  const options = { ...agent.options, patienceMs: 1, deafMs: 1, onBusy: (pid: number) => told.push(pid) };
  const error: unknown = await connectToAgent(agent.directory, options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'IN_USE', hint: expect.stringContaining('kill -CONT') as string });
  expect(told).toEqual([]);
  agent.signal('SIGCONT');
  await using client = await connectToAgent(agent.directory, agent.options);
  expect((await client?.list())?.files).toEqual([]);
});

/** Whether this user may mount a file system. */
const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0;

/** As on a read-only disk: nobody owns the lock, and all who read hold it. */
function makeReadOnly(directory: string): void {
  execFileSync('mount', ['--bind', directory, directory]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory]);
  });
  execFileSync('mount', ['-o', 'remount,ro,bind', directory]);
}

/** A client that would wait for a busy owner for as long as it takes. */
const PATIENT: ConnectOptions = { patienceMs: 2 ** 30 };

describe.skipIf(process.platform !== 'linux')('an owner that is stopped, where the system tells', () => {
  test('is not waited for, and named by the number of its process', async () => {
    const agent = await BusyAgent.start();
    await agent.stop();
    const connecting = connectToAgent(agent.directory, { ...agent.options, ...PATIENT });
    const error: unknown = await connecting.catch((reason: unknown) => reason);
    const pid = String(agent.pid);
    expect(error).toMatchObject({
      code: 'IN_USE',
      message: `the agent that has this vault open (pid ${pid}) is stopped`,
      hint: expect.stringContaining(`\`kill -CONT ${pid}\``) as string,
    });
  });

  test('goes on to close the vault when it is to be locked', async () => {
    const agent = await BusyAgent.start();
    await agent.stop();
    const told: number[] = [];
    const options = { ...agent.options, ...PATIENT, onStopped: (pid: number) => told.push(pid) };
    expect(await lockAgent(agent.directory, options)).toBe(true);
    expect(told).toEqual([agent.pid]);
    expect(await agent.end).toEqual([0, null]);
    await agent.opensAgain();
  });

  test('is killed when it does not go on', async () => {
    const agent = await BusyAgent.start();
    await agent.keep();
    const stopping = setInterval(() => {
      agent.signal('SIGSTOP');
    }, 5);
    onTestFinished(() => {
      clearInterval(stopping);
    });
    expect(await lockAgent(agent.directory, { ...agent.options, ...PATIENT })).toBe(true);
    clearInterval(stopping);
    expect(await agent.end).toEqual([null, 'SIGKILL']);
    await agent.opensAgain();
  });

  test.skipIf(!canMount)(
    'of a vault that can only be read is named and ended, and another that reads it is left alone (needs root for a mount)',
    async () => {
      const agent = await BusyAgent.start(undefined, makeReadOnly);
      await using reader = await agent.open();
      await agent.stop();
      const connecting = connectToAgent(agent.directory, { ...agent.options, ...PATIENT });
      await expect(connecting).rejects.toMatchObject({
        code: 'IN_USE',
        message: `the agent that has this vault open (pid ${String(agent.pid)}) is stopped`,
      });
      expect(await lockAgent(agent.directory, { ...agent.options, ...PATIENT })).toBe(true);
      expect(await agent.end).toEqual([0, null]);
      expect(reader.status()).toMatchObject({ files: 0, readOnly: 'disk' });
      expect(await connectToAgent(agent.directory, agent.options)).toBeUndefined();
    },
  );

  test.skipIf(!canMount)(
    'of a vault that can only be read is killed when it does not go on (needs root for a mount)',
    async () => {
      const agent = await BusyAgent.start(undefined, makeReadOnly);
      await agent.keep();
      const stopping = setInterval(() => {
        agent.signal('SIGSTOP');
      }, 5);
      onTestFinished(() => {
        clearInterval(stopping);
      });
      expect(await lockAgent(agent.directory, { ...agent.options, ...PATIENT })).toBe(true);
      clearInterval(stopping);
      expect(await agent.end).toEqual([null, 'SIGKILL']);
    },
  );

  test('is left alone when it is no agent, whoever listens in its place', async () => {
    const owner = await BusyAgent.start('owner-without-socket.ts');
    await owner.stop();
    const place = choosePlace(owner.directory, owner.places);
    // Says nothing, and does not have the vault.
    const other = createServer();
    other.listen(place && socketPath(place));
    await once(other, 'listening');
    onTestFinished(() => {
      other.close();
    });
    const locking = lockAgent(owner.directory, { ...owner.options, patienceMs: 1_000, deafMs: 1 });
    await expect(locking).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringContaining(String(owner.pid)) as string,
    });
    expect(readFileSync(`/proc/${String(owner.pid)}/stat`, 'utf8')).toContain(') T ');
  });
});

test('a signal ends waiting for an owner that is busy', async () => {
  const agent = await BusyAgent.start();
  await agent.keep();
  const controller = new AbortController();
  const connecting = connectToAgent(agent.directory, {
    ...agent.options,
    signal: controller.signal,
    onBusy: () => {
      controller.abort(new Error('interrupted'));
    },
  });
  await expect(connecting).rejects.toThrow('interrupted');
});

test('a client whose hello comes while the owner is busy is not late', async () => {
  const agent = await BusyAgent.start();
  const [address = ''] = findAddresses(agent.directory, agent.places);
  const socket = connect(address);
  onTestFinished(() => {
    socket.destroy();
  });
  // The owner has accepted, and its patience with a client that says nothing has begun.
  await once(socket, 'data');
  await agent.keepForMs(6_000);
  const frame = (type: number, request: number, body: unknown): Buffer => {
    const payload = encodeBody(body);
    return Buffer.concat([encodeHeader(type as typeof FRAME.hello, request, payload.length), payload]);
  };
  socket.write(frame(FRAME.hello, 0, { protocol: PROTOCOL_VERSION, release: releaseOfThisPackage() }));
  socket.write(frame(FRAME.call, 1, { method: 'status', args: [], progress: false }));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toContain('"schemaVersion"');
});
