import process from 'node:process';
import {
  choosePlace,
  livenessAddress,
  listenUnderName,
  makePipeName,
  removeSockets,
  socketPath,
} from '../place/socket-place.ts';
import type { SocketPlace } from '../place/socket-place.ts';
import type { RuntimePlaces } from '../place/runtime-folder.ts';
import { LivenessThread } from './liveness-thread.ts';

/**
 * Says that this process has the vault, before it can serve it: deriving a key and asking a keychain take their time, and who comes meanwhile knows for whom to wait. Only who holds the vault's
 * lock may do this.
 */
export class Announcement implements AsyncDisposable {
  readonly place: SocketPlace;
  /** Where the vault is going to be served. */
  readonly address: string;
  readonly liveness: LivenessThread = new LivenessThread();
  #isTaken = false;

  private constructor(place: SocketPlace) {
    this.place = place;
    this.address = process.platform === 'win32' ? makePipeName(place) : socketPath(place);
  }

  /** `undefined` when there is no place for a socket. */
  static async make(directory: string, places: RuntimePlaces): Promise<Announcement | undefined> {
    const place = choosePlace(directory, places);
    return place === undefined ? undefined : await Announcement.at(place);
  }

  static async at(place: SocketPlace): Promise<Announcement> {
    const announcement = new Announcement(place);
    try {
      const { address, liveness } = announcement;
      await listenUnderName(livenessAddress(address), (path) => liveness.listen(path));
      return announcement;
    } catch (error) {
      await announcement.liveness.end();
      throw error;
    }
  }

  /** From now on it is the server's, which ends it. */
  take(): void {
    this.#isTaken = true;
  }

  /** Takes it back, unless the vault is served. To be done before the lock is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTaken) return;
    this.#isTaken = true;
    removeSockets(this.place);
    await this.liveness.end();
  }
}
