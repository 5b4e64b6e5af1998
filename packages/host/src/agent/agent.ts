import { VaultError } from '@coffer/vault';
import type { Vault } from '@coffer/vault';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { folderIdentity, logPath, socketPath } from '../place/socket-place.ts';
import type { RuntimePlaces } from '../place/runtime-folder.ts';
import { Announcement } from '../serve/announcement.ts';
import type { Service } from '../serve/serve-connection.ts';
import { servedMethodsOf } from '../serve/served-method.ts';
import { VaultServer } from '../serve/vault-server.ts';
import { PROTOCOL_VERSION, releaseOfThisPackage } from '../wire/hello.ts';
import { AgentLog } from './agent-log.ts';
import { agentMethodsOf } from './agent-methods.ts';
import type { AgentState } from './agent-methods.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import type { Clock } from './clock.ts';
import { AgentLimits } from './limits.ts';
import type { Limits, LockReason } from './limits.ts';

export interface AgentOptions {
  readonly limits: Limits;
  readonly places: RuntimePlaces;
  readonly clock?: Clock;
  /** How often the limits are looked at. */
  readonly checkEveryMs?: number;
  /** Where it was said already that this process has the vault. */
  readonly announcement?: Announcement | undefined;
}

const CHECK_EVERY_MS = 2_000;

const REASONS: Readonly<Record<LockReason, string>> = {
  asked: 'the vault was locked by `coffer lock`',
  time: 'the vault was locked: its time was over',
  idle: 'the vault was locked: nothing was done for a while',
  suspend: 'the vault was locked: the machine slept',
  signal: 'the vault was locked: its agent was told to end',
  gone: 'the vault was locked: its folder is gone',
  unreachable: 'the vault was locked: the socket of its agent is gone',
  failed: 'the vault was locked: its agent failed',
};

/** Keeps an open vault for a time, serves it to the commands of the same user, and then closes it. */
export class Agent {
  readonly #vault: Vault;
  readonly #server: VaultServer;
  readonly #log: AgentLog;
  readonly #limits: AgentLimits;
  readonly #folderIdentity: string;
  readonly #state: () => AgentState;
  readonly #timer: NodeJS.Timeout;
  readonly #ended: PromiseWithResolvers<LockReason> = Promise.withResolvers();
  #isEnding = false;

  private constructor(
    vault: Vault,
    parts: {
      server: VaultServer;
      log: AgentLog;
      limits: AgentLimits;
      folderIdentity: string;
      state: () => AgentState;
    },
    checkEveryMs: number,
  ) {
    this.#vault = vault;
    this.#server = parts.server;
    this.#log = parts.log;
    this.#limits = parts.limits;
    this.#folderIdentity = parts.folderIdentity;
    this.#state = parts.state;
    this.#timer = setInterval(() => {
      this.check();
    }, checkEveryMs);
  }

  /** Serves a vault that is open here; from now on it is the agent's. Throws when there is no place for a socket. */
  static async start(vault: Vault, options: AgentOptions): Promise<Agent> {
    const { places, clock = SYSTEM_CLOCK, checkEveryMs = CHECK_EVERY_MS } = options;
    const limits = new AgentLimits(options.limits, clock, places.platform);
    const sinceMs = clock.wallMs();
    const announcement = options.announcement ?? (await Announcement.make(vault.directory, places));
    if (announcement === undefined) {
      throw new VaultError(
        'NOT_PERMITTED',
        'there is no folder for a socket that only this user can write to',
        {
          hint: 'set XDG_RUNTIME_DIR to a folder that is yours and closed to others (0700)',
        },
      );
    }
    const log = new AgentLog(logPath(socketPath(announcement.place)));
    const state = (): AgentState => {
      const { idleMs } = limits.limits;
      return {
        pid: process.pid,
        sinceMs,
        untilMs: limits.untilMs,
        ...(idleMs === undefined ? {} : { idleMs }),
        warnings: vault.warnings,
      };
    };
    const identity = folderIdentity(vault.directory);
    const service: Service = {
      hello: {
        protocol: PROTOCOL_VERSION,
        release: releaseOfThisPackage(),
        pid: process.pid,
        directory: vault.directory,
        vaultId: vault.vaultId,
        folderIdentity: identity,
        // As they are when somebody connects.
        get warnings() {
          return vault.standingWarnings;
        },
      },
      methods: new Map([
        ...servedMethodsOf(vault),
        ...agentMethodsOf({
          state,
          renew: (renewed) => {
            limits.renew(renewed);
            log.write('renewed');
            return state();
          },
          // After the answer, which the client waits for.
          lock: () => {
            setImmediate(() => void agent.lock('asked'));
          },
        }),
      ]),
      noteRequest: (method) => {
        const ended = limits.begin();
        return (outcome) => {
          ended();
          log.write(`${method} ${outcome}`);
        };
      },
      noteBadClient: (message) => {
        log.write(`refused a client: ${message}`);
      },
    };
    const server = await VaultServer.listen(announcement, service);
    log.write(`began, pid ${String(process.pid)}`);
    const agent = new Agent(vault, { server, log, limits, folderIdentity: identity, state }, checkEveryMs);
    return agent;
  }

  get state(): AgentState {
    return this.#state();
  }

  /** Resolves when the vault is closed, with why. */
  get ended(): Promise<LockReason> {
    return this.#ended.promise;
  }

  /** Looks whether its time is over. */
  check(): void {
    const reason = this.#whyUseless() ?? this.#limits.check();
    if (reason !== undefined) void this.lock(reason);
  }

  /**
   * Accepts nobody any more, gives what is running up as Ctrl-C does, and closes the vault. Commands that wait are told why. A limit is a promise, so nothing is waited
   * for but cleaning up.
   */
  async lock(reason: LockReason): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#log.write(`locking: ${reason}`);
    const hint = 'what was reported as done is done; `coffer unlock` opens the vault again';
    await this.#server.drain(new VaultError('CLOSED', REASONS[reason], { hint }));
    try {
      await this.#vault.close();
      this.#log.write('locked');
    } catch {
      // The folder is gone, or the disk: its lock and its keys go with this process.
      this.#log.write('the vault could not be closed as it should');
    }
    await this.#server.close();
    this.#log[Symbol.dispose]();
    this.#ended.resolve(reason);
  }

  /** No command can find it any more, and nobody could lock it. */
  #whyUseless(): LockReason | undefined {
    if (this.#isGone()) return 'gone';
    return this.#server.isNamed ? undefined : 'unreachable';
  }

  #isGone(): boolean {
    try {
      return (
        folderIdentity(this.#vault.directory) !== this.#folderIdentity ||
        !existsSync(join(this.#vault.directory, 'vault.json'))
      );
    } catch {
      return true;
    }
  }
}
