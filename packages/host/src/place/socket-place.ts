import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isTrustedFolder, makeRuntimeFolder, runtimeFolders } from './runtime-folder.ts';
import type { RuntimePlaces } from './runtime-folder.ts';

/** Of `sun_path`, its final NUL not counted: 107 on Linux, 103 on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;
const PIPE_NAME = /^\\\\\.\\pipe\\coffer-[0-9a-f]{32}(-live)?$/;

/** The place where the owner of one vault listens. */
export interface SocketPlace {
  readonly folder: string;
  /** The first part of the names of all its files there. */
  readonly name: string;
}

/** The same for every path that leads to the vault, links followed. Throws what the file system throws when there is no such folder. */
export function placeName(directory: string): string {
  return createHash('sha256')
    .update('coffer/host/v1\0')
    .update(realpathSync(directory))
    .digest('hex')
    .slice(0, 32);
}

/** Device and number of the vault's folder: another folder may take its path. */
export function folderIdentity(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${String(dev)}:${String(ino)}`;
}

/** A place for a new socket, in the first runtime folder that can be trusted. `undefined` when there is none. */
export function choosePlace(directory: string, places: RuntimePlaces): SocketPlace | undefined {
  const name = placeName(directory);
  const folder = runtimeFolders(places).find(
    (candidate) =>
      Buffer.byteLength(join(candidate, `${name}.sock`)) + '.new'.length <= MAX_SOCKET_PATH_BYTES &&
      makeRuntimeFolder(candidate, places),
  );
  return folder === undefined ? undefined : { folder, name };
}

/** The addresses that an owner of the vault may listen at. */
export function findAddresses(directory: string, places: RuntimePlaces): readonly string[] {
  const name = placeName(directory);
  return runtimeFolders(places).flatMap((folder) => {
    if (!isTrustedFolder(folder, places)) return [];
    const place = { folder, name };
    const address = places.platform === 'win32' ? readPipeName(place) : findSocket(place, places);
    return address === undefined ? [] : [address];
  });
}

/** The addresses at which an owner of the vault may say that it has it, also one that does not serve it yet. */
export function findLivenessAddresses(directory: string, places: RuntimePlaces): readonly string[] {
  if (places.platform === 'win32') return findAddresses(directory, places).map(livenessAddress);
  const name = placeName(directory);
  return runtimeFolders(places).flatMap((folder) => {
    const path = livenessAddress(socketPath({ folder, name }));
    return isTrustedFolder(folder, places) && isOwnSocket(path, places) ? [path] : [];
  });
}

/** The path of the socket, and of the file that has the name of the pipe. */
export function socketPath({ folder, name }: SocketPlace): string {
  return join(folder, `${name}.sock`);
}

/** A new name for a pipe, written where only this user can read it. */
export function makePipeName(place: SocketPlace): string {
  const pipe = `\\\\.\\pipe\\coffer-${randomBytes(16).toString('hex')}`;
  const path = socketPath(place);
  writeFileSync(`${path}.new`, pipe, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return pipe;
}

/**
 * Has somebody listen at a path that appears when it is listened at, at once and in the place of whatever an owner that died has left there. Only who holds the lock of
 * the vault may do this: that is why two can't do it at a time. A pipe has its name from the beginning.
 */
export async function listenUnderName(
  address: string,
  listen: (address: string) => Promise<void>,
): Promise<void> {
  if (PIPE_NAME.test(address)) {
    await listen(address);
    return;
  }
  const unnamed = `${address}.new`;
  rmSync(unnamed, { force: true });
  await listen(unnamed);
  chmodSync(unnamed, 0o600);
  renameSync(unnamed, address);
}

/** Where the owner that listens at that address says that it is alive, while it is too busy to say hello. */
export function livenessAddress(address: string): string {
  return address.endsWith('.sock') ? address.replace(/\.sock$/, '.live') : `${address}-live`;
}

/** Where an agent with a socket at that path says what it does. */
export function logPath(socket: string): string {
  return socket.replace(/\.sock$/, '.log');
}

/** Tells the socket that has the name now from another one. */
export function socketIdentity(place: SocketPlace): string | undefined {
  const found = lstatSync(socketPath(place), { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${String(found.dev)}:${String(found.ino)}`;
}

export function removeSockets(place: SocketPlace): void {
  const path = socketPath(place);
  for (const each of [path, livenessAddress(path)]) rmSync(each, { force: true });
}

function findSocket(place: SocketPlace, places: RuntimePlaces): string | undefined {
  const path = socketPath(place);
  return isOwnSocket(path, places) ? path : undefined;
}

function isOwnSocket(path: string, { uid }: RuntimePlaces): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true && found.uid === uid;
}

function readPipeName(place: SocketPlace): string | undefined {
  try {
    const pipe = readFileSync(socketPath(place), 'utf8');
    return PIPE_NAME.test(pipe) ? pipe : undefined;
  } catch {
    return undefined;
  }
}
