import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import process from 'node:process';
import { connectToOwner } from '../../src/connect/connect-to-owner.ts';
import { createRemoteClient } from '../../src/connect/remote-client.ts';
import { placesOfThisProcess } from '../../src/place/runtime-folder.ts';
import type { RuntimePlaces } from '../../src/place/runtime-folder.ts';
import { choosePlace, folderIdentity, socketPath } from '../../src/place/socket-place.ts';
import type { Service } from '../../src/serve/serve-connection.ts';
import { servedMethodsOf } from '../../src/serve/served-method.ts';
import { Announcement } from '../../src/serve/announcement.ts';
import { VaultServer } from '../../src/serve/vault-server.ts';
import type { VaultClient } from '../../src/index.ts';
import { PROTOCOL_VERSION, releaseOfThisPackage } from '../../src/wire/hello.ts';
import { TestVault } from './test-vault.ts';

/** A vault that is served over a socket, with everything in this process. */
export class ServedVault implements AsyncDisposable {
  readonly made: TestVault;
  readonly places: RuntimePlaces;
  readonly server: VaultServer;
  /** What bad clients did. */
  readonly complaints: readonly string[];
  /** How each request ended. */
  readonly outcomes: readonly string[];
  /** How many requests are running. */
  readonly running: () => number;

  private constructor(
    made: TestVault,
    places: RuntimePlaces,
    server: VaultServer,
    notes: { complaints: readonly string[]; outcomes: readonly string[]; counter: { running: number } },
  ) {
    this.made = made;
    this.places = places;
    this.server = server;
    this.complaints = notes.complaints;
    this.outcomes = notes.outcomes;
    this.running = () => notes.counter.running;
  }

  static async create(): Promise<ServedVault> {
    const made = await TestVault.create();
    mkdirSync(made.path('run'), { mode: 0o700 });
    const places = { ...placesOfThisProcess(), env: { XDG_RUNTIME_DIR: made.path('run') } };
    const complaints: string[] = [];
    const outcomes: string[] = [];
    const counter = { running: 0 };
    const { vault } = made;
    const service: Service = {
      hello: {
        protocol: PROTOCOL_VERSION,
        release: releaseOfThisPackage(),
        pid: process.pid,
        directory: vault.directory,
        vaultId: vault.vaultId,
        folderIdentity: folderIdentity(vault.directory),
        warnings: [],
      },
      methods: servedMethodsOf(vault),
      noteRequest: (method) => {
        counter.running += 1;
        return (outcome) => {
          counter.running -= 1;
          outcomes.push(`${method} ${outcome}`);
        };
      },
      noteBadClient: (message) => complaints.push(message),
    };
    const place = choosePlace(vault.directory, places);
    if (place === undefined) throw new Error('there is no place for a socket');
    const server = await VaultServer.listen(await Announcement.at(place), service);
    return new ServedVault(made, places, server, { complaints, outcomes, counter });
  }

  async connect(cwd: string = this.made.folder): Promise<Omit<VaultClient, 'agentState'>> {
    const connected = await connectToOwner(this.made.vault.directory, { places: this.places });
    if (connected === undefined) throw new Error('nobody serves this vault');
    return createRemoteClient(connected.connection, connected.hello, {
      cwd,
      elsewhere: { pid: process.pid, umask: 0o022 },
    });
  }

  /** A socket that nothing was said on yet. */
  async rawSocket(): Promise<Socket> {
    const socket = connect(socketPath(this.server.place));
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain(new Error('over'));
    await this.server.close();
    await this.made[Symbol.asyncDispose]();
  }
}
