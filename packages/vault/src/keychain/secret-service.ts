/*
 * Asks the Secret Service of Linux whether it would have to ask somebody: the keyring module unlocks whatever is locked, which is a question on the screen, and can't be told
 * not to; and what items there are, which the module tells only with what is in them. The little of D-Bus that it takes is here (D-Bus specification 0.43; Secret Service API draft 0.2). Only relative imports: it runs in keychain-process.ts.
 */
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { DBusReader } from './d-bus-reader.ts';

const SERVICE = 'org.freedesktop.secrets';
const SERVICE_PATH = '/org/freedesktop/secrets';
const SERVICE_INTERFACE = 'org.freedesktop.Secret.Service';
const COLLECTION_INTERFACE = 'org.freedesktop.Secret.Collection';
const ITEM_INTERFACE = 'org.freedesktop.Secret.Item';
const NO_OBJECT = '/';

const METHOD_RETURN = 2;
const ERROR = 3;
const HEADER_SIZE_BYTES = 16;
const MAX_LINE_SIZE_BYTES = 512;
const MAX_MESSAGE_SIZE_BYTES = 1024 * 1024;

/** An item's attributes, all of which it has to have. */
export type ItemAttributes = Readonly<Record<string, string>>;

/**
 * Whether somebody would be asked before such an item can be read or written: it is locked or, if it is not to be seen, the collection that new items go to is. `false` where that can't be
 * told, and where there is no service, which whoever asks it next finds out.
 */
export async function isSecretServiceLocked(
  attributes: ItemAttributes,
  env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> {
  const path = sessionBusPath(env);
  if (path === undefined) return false;
  const socket = createConnection({ path });
  try {
    return await isLocked(await BusConnection.open(socket), attributes);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * The attribute `name` of every item with these attributes; `undefined` while one of them is locked, for a locked item need not show what it is called.
 * Asks nobody. Throws where there is no bus or no service, or what answers is none.
 */
export async function listSecretServiceItems(
  attributes: ItemAttributes,
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly string[] | undefined> {
  const path = sessionBusPath(env);
  if (path === undefined) throw new Error('there is no session bus');
  const socket = createConnection({ path });
  try {
    const bus = await BusConnection.open(socket);
    const search = { path: SERVICE_PATH, interface: SERVICE_INTERFACE, member: 'SearchItems' };
    const found = await bus.call({ ...search, signature: 'a{ss}', body: encodeAttributes(attributes) });
    const reader = new DBusReader(found);
    const items = reader.paths();
    if (reader.paths().length > 0) return undefined;
    const values: string[] = [];
    for (const item of items) {
      const get = { path: item, interface: 'org.freedesktop.DBus.Properties', member: 'Get' };
      const names = concatAligned([encodeText(ITEM_INTERFACE), encodeText('Attributes')], 4);
      const value = await bus.call({ ...get, signature: 'ss', body: names });
      const text = new DBusReader(value).textsByName().get(name);
      if (text !== undefined) values.push(text);
    }
    return values;
  } finally {
    socket.destroy();
  }
}

async function isLocked(bus: BusConnection, attributes: ItemAttributes): Promise<boolean> {
  const search = { path: SERVICE_PATH, interface: SERVICE_INTERFACE, member: 'SearchItems' };
  const found = await bus.call({ ...search, signature: 'a{ss}', body: encodeAttributes(attributes) });
  // Two arrays of paths: the unlocked items, and the locked ones.
  const unlockedSize = found.readUInt32LE(0);
  if (unlockedSize > 0) return false;
  if (found.readUInt32LE(4) > 0) return true;
  const readAlias = { path: SERVICE_PATH, interface: SERVICE_INTERFACE, member: 'ReadAlias' };
  const alias = await bus.call({ ...readAlias, signature: 's', body: encodeText('default') });
  const collection = alias.toString('latin1', 4, 4 + alias.readUInt32LE(0));
  if (collection === NO_OBJECT) return false;
  const get = { path: collection, interface: 'org.freedesktop.DBus.Properties', member: 'Get' };
  const names = concatAligned([encodeText(COLLECTION_INTERFACE), encodeText('Locked')], 4);
  const value = await bus.call({ ...get, signature: 'ss', body: names });
  // A variant: its signature `1 ‖ "b" ‖ 0`, padded to 4 bytes, then the boolean.
  return value.readUInt32LE(4) !== 0;
}

/** The socket of the session's bus, for `net.connect`; `undefined` for a bus that is not a socket of this machine. */
export function sessionBusPath(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['DBUS_SESSION_BUS_ADDRESS'] ?? '';
  const runtime = env['XDG_RUNTIME_DIR'] ?? '';
  if (given === '') return runtime === '' ? undefined : `${runtime}/bus`;
  for (const address of given.split(';')) {
    const [, key, value] = /^unix:(?:.*,)?(path|abstract)=([^,]*)/.exec(address) ?? [];
    if (value !== undefined) return (key === 'abstract' ? '\0' : '') + decodeURIComponent(value);
  }
  return undefined;
}

interface MethodCall {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: Buffer;
  readonly destination?: string;
}

/** One question after the other; what comes that is no answer is passed over. */
class BusConnection {
  readonly #socket: Socket;
  readonly #pieces: AsyncIterator<Buffer>;
  #received: Buffer = Buffer.alloc(0);
  #serial = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  static async open(socket: Socket): Promise<BusConnection> {
    const bus = new BusConnection(socket);
    const uid = Buffer.from(String(process.getuid?.() ?? ''), 'latin1').toString('hex');
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
    const line = await bus.#readLine();
    if (!line.startsWith('OK ')) throw new Error(`the bus answers ${line}`);
    socket.write('BEGIN\r\n');
    const daemon = { path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'Hello' };
    await bus.call({ ...daemon, destination: 'org.freedesktop.DBus' });
    return bus;
  }

  /** The body of the answer. */
  async call(call: MethodCall): Promise<Buffer> {
    this.#serial += 1;
    this.#socket.write(encodeCall(call, this.#serial));
    for (;;) {
      const { type, body } = await this.#readMessage();
      if (type === METHOD_RETURN) return body;
      if (type === ERROR) throw new Error(`${call.member} failed`);
    }
  }

  async #readMessage(): Promise<{ readonly type: number; readonly body: Buffer }> {
    const start = await this.#peek(HEADER_SIZE_BYTES);
    // 'l': numbers come in the order of whoever sends them, and a service of this machine has ours.
    if (start[0] !== 0x6c) throw new Error('a message in another byte order');
    const bodySize = start.readUInt32LE(4);
    const headerSize = align(HEADER_SIZE_BYTES + start.readUInt32LE(12), 8);
    if (headerSize + bodySize > MAX_MESSAGE_SIZE_BYTES) throw new Error('a message is too long');
    const message = await this.#peek(headerSize + bodySize);
    this.#received = this.#received.subarray(message.length);
    return { type: message[1] ?? 0, body: message.subarray(headerSize) };
  }

  async #readLine(): Promise<string> {
    for (let size = 2; size <= MAX_LINE_SIZE_BYTES; size += 1) {
      const line = (await this.#peek(size)).toString('latin1');
      if (!line.endsWith('\r\n')) continue;
      this.#received = this.#received.subarray(size);
      return line.trimEnd();
    }
    throw new Error('the bus says too much');
  }

  async #peek(size: number): Promise<Buffer> {
    while (this.#received.length < size) {
      const piece: IteratorResult<Buffer, unknown> = await this.#pieces.next();
      if (piece.done === true) throw new Error('the bus ended the connection');
      this.#received = Buffer.concat([this.#received, piece.value]);
      if (this.#received.length > MAX_MESSAGE_SIZE_BYTES) throw new Error('the bus says too much');
    }
    return this.#received.subarray(0, size);
  }
}

/** `"l" ‖ 1 (method call) ‖ flags 0 ‖ version 1 ‖ body size u32 ‖ serial u32 ‖ array of (code u8, variant)`, padded to 8 bytes, then the body. */
function encodeCall(call: MethodCall, serial: number): Buffer {
  const { body = Buffer.alloc(0), signature, destination = SERVICE } = call;
  const fields = concatAligned(
    [
      encodeField(1, 'o', encodeText(call.path)),
      encodeField(2, 's', encodeText(call.interface)),
      encodeField(3, 's', encodeText(call.member)),
      encodeField(6, 's', encodeText(destination)),
      ...(signature === undefined ? [] : [encodeField(8, 'g', encodeSignature(signature))]),
    ],
    8,
  );
  const start = Buffer.alloc(HEADER_SIZE_BYTES);
  start.set([0x6c, 1, 0, 1]);
  start.writeUInt32LE(body.length, 4);
  start.writeUInt32LE(serial, 8);
  start.writeUInt32LE(fields.length, 12);
  return concatAligned([Buffer.concat([start, fields]), body], 8);
}

/** A variant begins with its signature of 3 bytes, so that a text after it is at a multiple of 4. */
function encodeField(code: number, type: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(code), encodeSignature(type), value]);
}

function encodeAttributes(attributes: ItemAttributes): Buffer {
  const entries = Object.entries(attributes).map(([name, value]) =>
    concatAligned([encodeText(name), encodeText(value)], 4),
  );
  const content = concatAligned(entries, 8);
  // Entries of a dictionary are at multiples of 8, also the first one after the size.
  const size = Buffer.alloc(8);
  size.writeUInt32LE(content.length);
  return Buffer.concat([size, content]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([size, bytes, Buffer.of(0)]);
}

function encodeSignature(signature: string): Buffer {
  return Buffer.from(`${String.fromCharCode(signature.length)}${signature}\0`, 'latin1');
}

/** Each but the first begins at a multiple of `to`. */
function concatAligned(parts: readonly Buffer[], to: number): Buffer {
  return parts.reduce(
    (joined, part) => Buffer.concat([joined, Buffer.alloc(align(joined.length, to) - joined.length), part]),
    Buffer.alloc(0),
  );
}

function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
