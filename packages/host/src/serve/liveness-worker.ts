/*
 * A thread of liveness-thread.ts. Whoever connects is told the number of this process, and nothing is read: see docs/spec/host.md.
 */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const MAX_CONNECTIONS = 64;
/** How long a client may take to read a few digits. */
const LINGER_MS = 5_000;

const { address, pid } = workerData as { readonly address: string; readonly pid: number };
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(`${String(pid)}\n`);
});
server.maxConnections = MAX_CONNECTIONS;
server.listen(address, () => parentPort?.postMessage('listening'));
