import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import process from 'node:process';
import { listenUnderName, removeSockets, socketIdentity } from '../place/socket-place.ts';
import type { SocketPlace } from '../place/socket-place.ts';
import type { Announcement } from './announcement.ts';
import type { LivenessThread } from './liveness-thread.ts';
import { ServedConnection } from './serve-connection.ts';
import type { Service } from './serve-connection.ts';

/** How many clients there may be at a time. */
const MAX_CONNECTIONS = 64;
/** How long a client may take to notice that it is over. */
const LINGER_MS = 1_000;

/**
 * Serves an open vault to the processes of the same user. Only the owner of a vault, who holds its lock, may listen for it. Stops with `drain`, before the vault is closed, and
 * `close`, after it.
 */
export class VaultServer {
  readonly #server: Server;
  readonly #place: SocketPlace;
  readonly #identity: string | undefined;
  readonly #connections: ReadonlySet<ServedConnection>;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #liveness: LivenessThread;

  private constructor(
    server: Server,
    socket: { place: SocketPlace; identity: string | undefined },
    clients: { connections: ReadonlySet<ServedConnection>; sockets: ReadonlySet<Socket> },
    liveness: LivenessThread,
  ) {
    this.#server = server;
    this.#place = socket.place;
    this.#identity = socket.identity;
    this.#connections = clients.connections;
    this.#sockets = clients.sockets;
    this.#liveness = liveness;
  }

  /** Resolves when clients can connect. Whoever finds its socket finds the one that was announced before. */
  static async listen(announcement: Announcement, service: Service): Promise<VaultServer> {
    const { place, address, liveness } = announcement;
    const connections = new Set<ServedConnection>();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      const connection = new ServedConnection(socket, service);
      connections.add(connection);
      sockets.add(socket);
      socket.on('close', () => {
        connections.delete(connection);
        sockets.delete(socket);
      });
    });
    server.maxConnections = MAX_CONNECTIONS;
    await listenUnderName(address, (path) => listenAt(server, path));
    announcement.take();
    const socket = { place, identity: socketIdentity(place) };
    return new VaultServer(server, socket, { connections, sockets }, liveness);
  }

  get place(): SocketPlace {
    return this.#place;
  }

  /** Whether clients still find it: a logout, or whoever tidies up a temporary folder, takes its socket away. */
  get isNamed(): boolean {
    return socketIdentity(this.#place) === this.#identity;
  }

  /** Accepts nobody any more, gives what is running up, tells each client why, and waits until all of it has ended. */
  async drain(reason: unknown): Promise<void> {
    // Where the vault's folder was replaced, another owner may have this name by now.
    if (this.isNamed) removeSockets(this.#place);
    this.#server.close();
    const connections = [...this.#connections];
    for (const connection of connections) connection.refuseFrom(reason);
    const late = setTimeout(() => {
      for (const connection of connections) connection.hangUpIfBehind();
    }, LINGER_MS);
    await Promise.all(connections.map((connection) => connection.idle()));
    clearTimeout(late);
  }

  /** Closes the connections: whoever waits for that knows that the vault is closed. */
  async close(): Promise<void> {
    const sockets = [...this.#sockets];
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.end();
    const late = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, LINGER_MS);
    await Promise.all(closed);
    clearTimeout(late);
    await this.#liveness.end();
  }
}

async function listenAt(server: Server, address: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // The socket is made in this call: from its first moment on nobody else can connect.
  const mask = process.umask(0o177);
  try {
    server.listen(address);
  } finally {
    process.umask(mask);
  }
  await listening;
}
