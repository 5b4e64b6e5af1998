import { setTimeout } from 'node:timers/promises';
import type { Caller } from '../caller.ts';
import { placesOfThisProcess } from '../place/runtime-folder.ts';
import type { RuntimePlaces } from '../place/runtime-folder.ts';
import { findAddresses, folderIdentity, livenessAddress, logPath } from '../place/socket-place.ts';
import type { OwnerHello } from '../wire/hello.ts';
import { askLiveness } from './ask-liveness.ts';
import { Connection } from './connection.ts';
import type { Greeting } from './connection.ts';
import { ownerIsDeaf } from './owner-errors.ts';
import { untilStopped } from './stopped-owner.ts';
import type { StoppedOwner } from './stopped-owner.ts';

/** A hello that takes longer comes from an owner that is busy, or stopped. */
const PATIENCE_MS = 2_000;
const DEAF_MS = 10_000;

/** Who asks. */
export interface ConnectOptions {
  readonly places?: RuntimePlaces;
  readonly caller?: Caller;
  /** Called once when the owner is alive and takes its time, with the number of its process. It is waited for. */
  readonly onBusy?: (pid: number) => void;
  /** Ends waiting. */
  readonly signal?: AbortSignal;
  /** After how long without a hello the owner is asked whether it is alive. */
  readonly patienceMs?: number;
  /** How long it may take to answer that; then it counts as stopped. */
  readonly deafMs?: number;
}

/** An owner of the same version, and the connection to it. */
export interface Connected {
  readonly connection: Connection;
  readonly hello: OwnerHello;
}

/**
 * Connects to the process that has the vault open and serves it; `undefined` when there is none. One that is busy is waited for. Throws
 * `IN_USE` when there is one that is stopped, or that is of another version, and the signal's reason.
 */
export async function connectToOwner(
  directory: string,
  options: ConnectOptions = {},
): Promise<Connected | undefined> {
  const found = await greetOwner(directory, options);
  if (found === undefined) return undefined;
  if ('pid' in found) {
    const pid = String(found.pid);
    throw await ownerIsDeaf(
      `the agent that has this vault open (pid ${pid}) is stopped`,
      `let it go on with \`kill -CONT ${pid}\`, or have it end with \`coffer lock\``,
    );
  }
  const { connection, hello } = found;
  if ('vaultId' in hello) return { connection, hello };
  connection.close();
  throw await ownerIsDeaf(
    `the agent of this vault (pid ${String(hello.pid)}) is of version ${hello.release}, which this one can't talk to`,
    'run `coffer lock`, then `coffer unlock` with this version',
  );
}

/** The same, but with an owner of whatever version, or one of which it is known that it is stopped. */
export async function greetOwner(
  directory: string,
  { places = placesOfThisProcess(), ...waiting }: ConnectOptions,
): Promise<{ readonly connection: Connection; readonly hello: Greeting } | StoppedOwner | undefined> {
  for (const address of addressesOf(directory, places)) {
    const connection = new Connection(address);
    const answered = new AbortController();
    try {
      const stopped = untilStopped(directory, address, answered.signal);
      const found = await Promise.race([waitForHello(connection, directory, address, waiting), stopped]);
      if (found !== undefined && 'address' in found) {
        connection.close();
        return found;
      }
      const isOwner =
        found !== undefined && (!('vaultId' in found) || found.folderIdentity === folderIdentity(directory));
      if (isOwner) return { connection, hello: found };
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      answered.abort();
    }
    connection.close();
  }
  return undefined;
}

/** Waits for as long as the owner is alive. `undefined`: what nobody listens at any more, or may not be connected to, is as if it were not there. */
async function waitForHello(
  connection: Connection,
  directory: string,
  address: string,
  { patienceMs = PATIENCE_MS, deafMs = DEAF_MS, onBusy, signal }: Omit<ConnectOptions, 'places'>,
): Promise<Greeting | undefined> {
  const greeting = connection.greeting.catch(() => undefined);
  for (let isFirst = true; ; isFirst = false) {
    const hello = await Promise.race([greeting, after(patienceMs, signal)]);
    if (hello !== 'late') return hello;
    const answer = await Promise.race([greeting, askLiveness(livenessAddress(address), deafMs, signal)]);
    if (typeof answer === 'object') return answer;
    signal?.throwIfAborted();
    if (answer === undefined) throw await ownerIsSilent(directory, address);
    if (isFirst) onBusy?.(answer);
  }
}

async function ownerIsSilent(directory: string, address: string): Promise<Error> {
  const { findOwner } = await import('@coffer/vault');
  const pid = findOwner(directory);
  return await ownerIsDeaf(
    `the process that has this vault open${pid === undefined ? '' : ` (pid ${String(pid)})`} does not answer: it seems to be stopped`,
    pid === undefined
      ? `let it go on (\`kill -CONT\`), and try again; its number is in ${logPath(address)}`
      : `let it go on with \`kill -CONT ${String(pid)}\`, and try again`,
  );
}

function addressesOf(directory: string, places: RuntimePlaces): readonly string[] {
  try {
    return findAddresses(directory, places);
  } catch {
    // There is no such folder: opening the vault says so.
    return [];
  }
}

/** Rejects with the signal's reason. */
async function after(timeMs: number, signal: AbortSignal | undefined): Promise<'late'> {
  try {
    return await setTimeout(timeMs, 'late' as const, {
      ref: false,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
