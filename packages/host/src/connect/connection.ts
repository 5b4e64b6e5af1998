import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encodeBody, decodeBody, decodePlainBody } from '../wire/body.ts';
import { BodyCollector } from '../wire/body-collector.ts';
import { FRAME } from '../wire/frame.ts';
import type { Frame } from '../wire/frame.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { FrameWriter } from '../wire/frame-writer.ts';
import { PROTOCOL_VERSION, parseOwnerHello, releaseOfThisPackage } from '../wire/hello.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Received } from '../wire/received.ts';
import { ReadBuffers } from './read-buffers.ts';
import { OpenRequest } from './open-request.ts';
import type { RequestOptions } from './open-request.ts';
import { ownerIsGone } from './owner-errors.ts';

export type Greeting = ReturnType<typeof parseOwnerHello>;

/** Of the bodies of results that are not whole yet. */
const MAX_BODY_SIZE_BYTES = 268_435_456;

/** A connection to the owner of a vault, and the requests on it. */
export class Connection {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader = new FrameReader();
  readonly #bodies: BodyCollector = new BodyCollector(MAX_BODY_SIZE_BYTES);
  readonly #buffers: ReadBuffers = new ReadBuffers();
  readonly #requests = new Map<number, OpenRequest>();
  readonly #greeting: PromiseWithResolvers<Greeting> = Promise.withResolvers();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastRequest = 0;

  /** Connects, and says hello. */
  constructor(address: string) {
    const socket = connect({
      path: address,
      onread: {
        buffer: () => this.#buffers.next(),
        callback: (sizeBytes, buffer) => {
          this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length), sizeBytes);
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
    // Who does not wait for it any more hears of a lost connection by its requests.
    this.#greeting.promise.catch(() => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      void this.#lose();
    });
    void this.#writer.send(
      FRAME.hello,
      0,
      encodeBody({ protocol: PROTOCOL_VERSION, release: releaseOfThisPackage() }),
    );
  }

  /** What the owner says of itself. Rejects when it goes before it has said so. */
  get greeting(): Promise<Greeting> {
    return this.#greeting.promise;
  }

  /** Resolves when the owner has closed the connection, or this side has. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends a request. */
  open(method: string, args: readonly unknown[], options: RequestOptions): OpenRequest {
    const id = ++this.#lastRequest;
    const request = new OpenRequest(id, this.#writer, () => this.#requests.delete(id));
    this.#requests.set(id, request);
    if (this.#socket.destroyed) void this.#lose();
    else request.start(method, args, options);
    return request;
  }

  close(): void {
    this.#socket.end();
    this.#socket.destroy();
  }

  #receive(buffer: Buffer, sizeBytes: number): void {
    const received = this.#buffers.use(buffer);
    try {
      for (const frame of this.#reader.read(buffer.subarray(0, sizeBytes))) this.#take(frame, received);
    } catch (error) {
      this.#greeting.reject(error);
      this.#socket.destroy(error instanceof Error ? error : undefined);
    } finally {
      received.end();
    }
  }

  #take(frame: Frame, received: Received): void {
    if (frame.type === FRAME.hello) {
      this.#greeting.resolve(parseOwnerHello(decodePlainBody(frame.payload)));
      return;
    }
    const request = this.#requests.get(frame.request);
    if (frame.type === FRAME.bytes) {
      request?.takeBytes(frame.payload, frame.cost, received);
      return;
    }
    const body = this.#bodies.take(frame);
    if (body === undefined || request === undefined) return;
    switch (frame.type) {
      case FRAME.item:
        request.take(decodeLater(body), frame.cost);
        return;
      case FRAME.progress:
        request.report(decodePlainBody(body));
        return;
      case FRAME.result:
        request.end(decodeLater(body));
        return;
      case FRAME.failed:
        request.fail(decodeLater(body));
        return;
      case FRAME.credit:
        if (body.length !== 4) throw new ProtocolError('a credit has four bytes');
        request.giveCredit(body.readUInt32BE());
        return;
      default:
        throw new ProtocolError(`an owner sends no frame of type ${String(frame.type)}`);
    }
  }

  async #lose(): Promise<void> {
    const error = await ownerIsGone();
    this.#greeting.reject(error);
    for (const request of this.#requests.values()) request.fail(Promise.resolve(error));
    this.#closed.resolve();
  }
}

/** A value that somebody will wait for, or nobody: then what is wrong with it is of no interest. */
function decodeLater(body: Buffer): Promise<unknown> {
  const value = decodeBody(body);
  value.catch(() => undefined);
  return value;
}
