import type { Socket } from 'node:net';
import { BodyCollector } from '../wire/body-collector.ts';
import { decodeBody, decodePlainBody, encodeBody } from '../wire/body.ts';
import { FRAME } from '../wire/frame.ts';
import type { Frame } from '../wire/frame.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { FrameWriter } from '../wire/frame-writer.ts';
import { isSameVersion, parseClientHello } from '../wire/hello.ts';
import type { OwnerHello } from '../wire/hello.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { Received } from '../wire/received.ts';
import type { ServedMethods } from './served-method.ts';
import { ServedRequest, parseCall } from './serve-request.ts';
import type { Outcome } from './serve-request.ts';

/** What is served, and who is told of it. */
export interface Service {
  readonly hello: OwnerHello;
  readonly methods: ServedMethods;
  /** Called at the beginning of each request; what it returns, at its end. */
  readonly noteRequest: (method: string) => (outcome: Outcome) => void;
  /** A client that did not keep to the protocol, and what it did. */
  readonly noteBadClient: (message: string) => void;
}

/** How many requests one client may have at a time. */
const MAX_REQUESTS = 16;
/** Of the bodies of requests that are not whole yet. */
const MAX_BODY_SIZE_BYTES = 33_554_432;
const HELLO_TIMEOUT_MS = 5_000;
/** How long a client that is refused may go on sending into nothing. */
const LINGER_MS = 1_000;

/**
 * Serves one client until it goes. Whatever it sends, and however slowly it reads, nothing but its own requests is affected, and they are given up when it
 * is gone.
 */
export class ServedConnection {
  readonly #socket: Socket;
  readonly #service: Service;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader = new FrameReader();
  readonly #bodies: BodyCollector = new BodyCollector(MAX_BODY_SIZE_BYTES);
  readonly #requests = new Map<number, ServedRequest>();
  readonly #running = new Set<Promise<void>>();
  #isGreeted = false;
  #refusal: unknown;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(socket: Socket, service: Service) {
    this.#socket = socket;
    this.#service = service;
    this.#writer = new FrameWriter(socket);
    const greeting = setTimeout(() => {
      // After what has arrived while this thread was busy: timers run first.
      setImmediate(() => {
        if (!this.#isGreeted) socket.destroy();
      });
    }, HELLO_TIMEOUT_MS);
    socket.on('data', (piece: Buffer) => {
      this.#receive(piece);
      if (this.#isGreeted) clearTimeout(greeting);
    });
    // What happens to a client is told by `close`, which follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(greeting);
      this.abort(new Error('the client is gone'));
    });
    void this.#writer.send(FRAME.hello, 0, encodeBody(service.hello));
  }

  /** Gives all requests up. */
  abort(reason: unknown): void {
    for (const request of this.#requests.values()) request.abort(reason);
  }

  /** Gives all requests up, and those that still come. */
  refuseFrom(reason: unknown): void {
    this.#refusal = reason;
    this.abort(reason);
  }

  /** Hangs up on a client that does not take what it was sent: nobody waits for it any more. */
  hangUpIfBehind(): void {
    if (this.#writer.isBehind) this.#socket.destroy();
  }

  /** Resolves when no request is running any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #receive(read: Buffer): void {
    const received = new Received(() => {
      free(read);
    });
    try {
      for (const frame of this.#reader.read(read)) this.#take(frame, received);
    } catch (error) {
      this.#refuse(error);
    } finally {
      received.end();
    }
  }

  #take(frame: Frame, received: Received): void {
    if (!this.#isGreeted) {
      this.#greet(frame);
      return;
    }
    const request = this.#requests.get(frame.request);
    switch (frame.type) {
      case FRAME.part:
        this.#bodies.take(frame);
        return;
      case FRAME.call: {
        const body = this.#bodies.take(frame);
        if (request !== undefined || body === undefined)
          throw new ProtocolError('a request has the number of another');
        if (this.#requests.size >= MAX_REQUESTS) throw new ProtocolError('too many requests at a time');
        this.#begin(frame.request, body);
        return;
      }
      // What comes for a request that has just ended means nothing any more.
      case FRAME.bytes:
        request?.takeUpload(frame.payload, frame.cost, received);
        return;
      case FRAME.end:
        request?.upload.end();
        return;
      case FRAME.failed:
        if (request !== undefined) void failUpload(request, frame.payload);
        return;
      case FRAME.credit:
        if (frame.payload.length !== 4) throw new ProtocolError('a credit has four bytes');
        request?.window.give(frame.payload.readUInt32BE());
        return;
      case FRAME.cancel:
        request?.abort(new DOMException('it was cancelled', 'AbortError'));
        return;
      default:
        throw new ProtocolError(`a client sends no frame of type ${String(frame.type)}`);
    }
  }

  #greet(frame: Frame): void {
    if (frame.type !== FRAME.hello) throw new ProtocolError('the first frame is not a hello');
    const isSame = isSameVersion(parseClientHello(decodePlainBody(frame.payload)));
    if (!isSame) throw new ProtocolError('it is of another version');
    this.#isGreeted = true;
  }

  #begin(id: number, body: Buffer): void {
    const request = new ServedRequest(id, this.#writer);
    this.#requests.set(id, request);
    if (this.#refusal !== undefined) request.abort(this.#refusal);
    const run = this.#run(request, body)
      .catch((error: unknown) => {
        this.#refuse(error);
      })
      .finally(() => {
        // Its arguments may have been a secret.
        body.fill(0);
        this.#requests.delete(id);
        this.#running.delete(run);
      });
    this.#running.add(run);
  }

  async #run(request: ServedRequest, body: Buffer): Promise<void> {
    const call = parseCall(await decodeBody(body));
    const isKnown = this.#service.methods.has(call.method);
    const ended = this.#service.noteRequest(isKnown ? call.method : 'unknown');
    let outcome: Outcome = 'FAILED';
    try {
      outcome = await request.run(call, this.#service.methods, (work) => this.#inTurn(work));
    } finally {
      ended(outcome);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  #refuse(error: unknown): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#service.noteBadClient(
      error instanceof ProtocolError ? error.message : 'it could not be understood',
    );
    // What was sent before, a hello that says which version this is, still arrives.
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    this.#socket.end();
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
    this.abort(new Error('the client is not understood'));
  }
}

/**
 * Gives memory back now: an upload comes in thousands of buffers that V8 counts until it collects garbage, and collecting it again and again takes as much
 * of the processors as sealing what comes.
 */
function free({ buffer, byteLength }: Buffer): void {
  // What does not fill its memory shares it with others.
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

async function failUpload(request: ServedRequest, payload: Buffer): Promise<void> {
  const error = await decodeBody(payload).catch((invalid: unknown) => invalid);
  request.upload.fail(error instanceof Error ? error : new Error('the source failed'));
}
