import * as v from 'valibot';
import { encodeBody } from '../wire/body.ts';
import { FRAME, MAX_PAYLOAD_SIZE_BYTES, costOf } from '../wire/frame.ts';
import type { FrameWriter } from '../wire/frame-writer.ts';
import { Inbox, SendWindow } from '../wire/flow.ts';
import { GatheredSender } from '../wire/gathered-sender.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Received } from '../wire/received.ts';
import type { ServedMethod, ServedMethods } from './served-method.ts';

/** A request as it is sent. */
export interface CallBody {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly progress: boolean;
}

const callSchema = v.strictObject({
  method: v.pipe(v.string(), v.maxLength(64)),
  args: v.pipe(v.array(v.unknown()), v.maxLength(8)),
  progress: v.boolean(),
});

/** Throws `ProtocolError`. */
export function parseCall(value: unknown): CallBody {
  if (v.is(callSchema, value)) return value;
  throw new ProtocolError('a request is not what it should be');
}

/** One request of a client, from its frame to its end. */
export class ServedRequest {
  readonly #id: number;
  readonly #writer: FrameWriter;
  readonly #controller: AbortController = new AbortController();
  readonly #window: SendWindow = new SendWindow();
  readonly #upload: Inbox<Uint8Array>;

  constructor(id: number, writer: FrameWriter) {
    this.#id = id;
    this.#writer = writer;
    this.#upload = new Inbox((cost) => {
      const credit = Buffer.alloc(4);
      credit.writeUInt32BE(cost);
      void writer.send(FRAME.credit, id, credit);
    });
  }

  /** What the client sends. */
  get upload(): Inbox<Uint8Array> {
    return this.#upload;
  }

  /** A piece of it. Whoever reads the upload needs each piece only until the next one is asked for. */
  takeUpload(bytes: Buffer, cost: number, received: Received): void {
    const { piece, giveBack } = received.lend(bytes);
    this.#upload.push(piece, cost, giveBack);
  }

  /** What may still be sent to it. */
  get window(): SendWindow {
    return this.#window;
  }

  /** Gives it up: the vault cleans up as it does after Ctrl-C. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#upload.fail(reason);
    this.#window.end();
  }

  /** Does what is asked and sends what comes of it. Never throws. `turn` holds back what answers once until the answer before is sent. */
  async run(
    call: CallBody,
    methods: ServedMethods,
    turn: <T>(work: () => Promise<T>) => Promise<T>,
  ): Promise<Outcome> {
    try {
      const served = methods.get(call.method);
      if (served === undefined) throw new ProtocolError(`there is no method ${call.method}`);
      const args = this.#arguments(served, call);
      this.#controller.signal.throwIfAborted();
      if (served.method.kind === 'stream') {
        await this.#sendAll(served.invoke(args) as AsyncIterable<unknown>);
        await this.#writer.send(FRAME.result, this.#id, encodeBody(null));
      } else if (served.method.upload !== undefined) {
        // It waits for its client: what is asked for meanwhile need not wait for it.
        await this.#answer(await served.invoke(args));
      } else {
        await turn(async () => {
          this.#controller.signal.throwIfAborted();
          await this.#answer(await served.invoke(args));
        });
      }
      return 'done';
    } catch (error) {
      const told = this.#lockedReason() ?? error;
      await this.#writer.send(FRAME.failed, this.#id, encodeBody(told));
      return outcomeOf(told);
    }
  }

  /** Why the owner gave it up, if it was the owner: what the vault says then is only that it was cancelled. */
  #lockedReason(): Error | undefined {
    const reason: unknown = this.#controller.signal.reason;
    return reason instanceof Error && reason.name === 'VaultError' ? reason : undefined;
  }

  async #answer(value: unknown): Promise<void> {
    await this.#writer.send(FRAME.result, this.#id, encodeBody(value));
  }

  async #sendAll(items: AsyncIterable<unknown>): Promise<void> {
    await using content = new GatheredSender((piece) => this.#sendBytes(piece));
    for await (const item of items) {
      if (item instanceof Uint8Array) await content.add(item);
      else {
        await content.finish();
        await this.#sendItem(encodeBody(item));
      }
      this.#controller.signal.throwIfAborted();
    }
    await content.finish();
  }

  async #sendBytes(piece: Uint8Array): Promise<boolean> {
    if (!(await this.#window.take(costOf(piece.length)))) return false;
    await this.#writer.sendBytes(this.#id, piece);
    return true;
  }

  async #sendItem(body: Buffer): Promise<void> {
    if (body.length > MAX_PAYLOAD_SIZE_BYTES) throw new TypeError('an event is too long to be sent');
    if (await this.#window.take(costOf(body.length))) await this.#writer.send(FRAME.item, this.#id, body);
  }

  #arguments({ method }: ServedMethod, { args, progress }: CallBody): readonly unknown[] {
    const parsed = v.safeParse(method.args, args, { abortEarly: true });
    // Says where, never what: it may be a secret.
    if (!parsed.success) {
      const where = v.getDotPath(parsed.issues[0]) ?? '';
      throw new ProtocolError(`the arguments of a request are not valid (${where})`);
    }
    const complete = [...parsed.output];
    if (method.upload !== undefined) complete[method.upload] = this.#pieces();
    if (method.options !== undefined) {
      const options = complete[method.options];
      const onProgress = (report: unknown): void => {
        // One report more or less is nothing; waiting would slow the work down.
        if (!this.#writer.isBehind) void this.#writer.send(FRAME.progress, this.#id, encodeBody(report));
      };
      complete[method.options] = {
        ...(typeof options === 'object' ? options : {}),
        signal: this.#controller.signal,
        ...(progress ? { onProgress } : {}),
      };
    }
    return complete;
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = await this.#upload.next();
      if (piece === undefined) return;
      yield piece;
    }
  }
}

/** How a request ended, for the log: `done`, or the code of the error. */
export type Outcome = string;

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'Error';
}
