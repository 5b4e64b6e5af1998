import { encodeBody } from '../wire/body.ts';
import { FRAME, costOf } from '../wire/frame.ts';
import type { FrameWriter } from '../wire/frame-writer.ts';
import { Inbox, SendWindow } from '../wire/flow.ts';
import { GatheredSender } from '../wire/gathered-sender.ts';
import type { Received } from '../wire/received.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((report: unknown) => void) | undefined;
  readonly upload?: AsyncIterable<Uint8Array> | undefined;
  /** Each piece of content is needed only until the next one is asked for. */
  readonly isTransient?: boolean;
}

/** A request that was sent, from the side that waits for its answer. */
export class OpenRequest {
  readonly #id: number;
  readonly #writer: FrameWriter;
  readonly #forget: () => void;
  readonly #window: SendWindow = new SendWindow();
  readonly #items: Inbox<unknown>;
  readonly #ended: PromiseWithResolvers<unknown> = Promise.withResolvers();
  #onProgress: ((report: unknown) => void) | undefined;
  #isTransient = false;
  #isEnded = false;

  constructor(id: number, writer: FrameWriter, forget: () => void) {
    this.#id = id;
    this.#writer = writer;
    this.#forget = forget;
    // Whoever reads a stream hears of its failure from the stream.
    this.#ended.promise.catch(() => undefined);
    this.#items = new Inbox((cost) => {
      if (this.#isEnded) return;
      const credit = Buffer.alloc(4);
      credit.writeUInt32BE(cost);
      void writer.send(FRAME.credit, id, credit);
    });
  }

  start(method: string, args: readonly unknown[], options: RequestOptions): void {
    const { signal, onProgress, upload, isTransient = false } = options;
    this.#onProgress = onProgress;
    this.#isTransient = isTransient;
    const cancel = (): void => {
      this.cancel();
    };
    signal?.addEventListener('abort', cancel);
    const forget = (): void => signal?.removeEventListener('abort', cancel);
    this.#ended.promise.then(forget, forget);
    const body = encodeBody({ method, args, progress: onProgress !== undefined });
    void this.#writer.send(FRAME.call, this.#id, body).finally(() => {
      // A copy of the arguments, of which one may be a secret.
      body.fill(0);
    });
    if (signal?.aborted === true) this.cancel();
    if (upload !== undefined) void this.#send(upload);
  }

  /** The result. */
  get result(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** What a stream yields, up to its end. Who stops early has it given up, and waits until the owner has cleaned up. */
  async *items(): AsyncGenerator<unknown, void, undefined> {
    try {
      for (;;) {
        // Items wait as promises: an error in one takes a moment to be made.
        const item = await this.#items.next();
        if (item === undefined) break;
        yield item;
      }
      await this.result;
    } finally {
      if (!this.#isEnded) {
        this.cancel();
        await this.result.catch(() => undefined);
      }
    }
  }

  /** Asks the owner to give it up; it ends when the owner says so. */
  cancel(): void {
    if (!this.#isEnded) void this.#writer.send(FRAME.cancel, this.#id);
  }

  take(item: unknown, cost: number): void {
    this.#items.push(item, cost);
  }

  /** A piece of content: lent to who said that each is needed only until the next one, a copy for everybody else. */
  takeBytes(bytes: Buffer, cost: number, received: Received): void {
    if (!this.#isTransient) {
      this.#items.push(Buffer.from(bytes), cost);
      return;
    }
    const { piece, giveBack } = received.lend(bytes);
    this.#items.push(piece, cost, giveBack);
  }

  report(progress: unknown): void {
    this.#onProgress?.(progress);
  }

  giveCredit(cost: number): void {
    this.#window.give(cost);
  }

  end(result: Promise<unknown>): void {
    this.#finish();
    this.#items.end();
    this.#ended.resolve(result);
  }

  fail(error: Promise<unknown>): void {
    this.#finish();
    const failure = error.then((reason) => {
      throw reason;
    });
    // What arrived before the failure is still to be had: events of what was done.
    this.#items.end();
    this.#ended.resolve(failure);
  }

  #finish(): void {
    this.#isEnded = true;
    this.#window.end();
    this.#forget();
  }

  async #send(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      {
        await using content = new GatheredSender(async (piece) => {
          if (!(await this.#window.take(costOf(piece.length)))) return false;
          await this.#writer.sendBytes(this.#id, piece);
          return true;
        });
        for await (const bytes of source) if (!(await content.add(bytes))) return;
        if (!(await content.finish())) return;
      }
      if (!this.#isEnded) await this.#writer.send(FRAME.end, this.#id);
    } catch (error) {
      if (!this.#isEnded) await this.#writer.send(FRAME.failed, this.#id, encodeBody(error));
    }
  }
}
