import type { Caller } from '../caller.ts';
import { placesOfThisProcess } from '../place/runtime-folder.ts';
import type { RuntimePlaces } from '../place/runtime-folder.ts';
import { findAddresses, folderIdentity, logPath } from '../place/socket-place.ts';
import type { OwnerHello } from '../wire/hello.ts';
import { Connection } from './connection.ts';
import type { Greeting } from './connection.ts';
import { ownerIsDeaf } from './owner-errors.ts';

const TIMEOUT_MS = 5_000;

/** Who asks. */
export interface ConnectOptions {
  readonly places?: RuntimePlaces;
  readonly caller?: Caller;
  /** How long an owner may take to say hello. */
  readonly timeoutMs?: number;
}

/** An owner of the same version, and the connection to it. */
export interface Connected {
  readonly connection: Connection;
  readonly hello: OwnerHello;
}

/**
 * Connects to the process that has the vault open and serves it; `undefined` when there is none. Throws `IN_USE` when there is one that does not answer, or that is of
 * another version.
 */
export async function connectToOwner(
  directory: string,
  options: ConnectOptions = {},
): Promise<Connected | undefined> {
  const found = await greetOwner(directory, options);
  if (found === undefined) return undefined;
  const { connection, hello } = found;
  if ('vaultId' in hello) return { connection, hello };
  connection.close();
  throw await ownerIsDeaf(
    `the agent of this vault (pid ${String(hello.pid)}) is of version ${hello.release}, which this one can't talk to`,
    'run `coffer lock`, then `coffer unlock` with this version',
  );
}

/** The same, but with an owner of whatever version. */
export async function greetOwner(
  directory: string,
  { places = placesOfThisProcess(), timeoutMs = TIMEOUT_MS }: ConnectOptions,
): Promise<{ readonly connection: Connection; readonly hello: Greeting } | undefined> {
  for (const address of addressesOf(directory, places)) {
    const connection = new Connection(address);
    // What nobody listens at any more, or may not be connected to, is as if it were not there.
    const hello = await Promise.race([connection.greeting.catch(() => undefined), after(timeoutMs)]);
    if (hello !== undefined && hello !== 'late') {
      if (!('vaultId' in hello) || hello.folderIdentity === folderIdentity(directory))
        return { connection, hello };
    }
    connection.close();
    if (hello !== 'late') continue;
    throw await ownerIsDeaf(
      'the process that has this vault open does not answer',
      `try again; if it stays like this, end that process: its number is in ${logPath(address)}`,
    );
  }
  return undefined;
}

function addressesOf(directory: string, places: RuntimePlaces): readonly string[] {
  try {
    return findAddresses(directory, places);
  } catch {
    // There is no such folder: opening the vault says so.
    return [];
  }
}

async function after(timeoutMs: number): Promise<'late'> {
  return await new Promise((resolve) => {
    setTimeout(() => {
      resolve('late');
    }, timeoutMs).unref();
  });
}
