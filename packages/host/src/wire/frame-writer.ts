import type { Socket } from 'node:net';
import { FRAME, MAX_PAYLOAD_SIZE_BYTES, encodeHeader } from './frame.ts';
import type { FrameType } from './frame.ts';

/** Writes frames to a socket. Each method resolves when the other side has taken so much that more may be written, or when it is gone. */
export class FrameWriter {
  readonly #socket: Socket;
  #draining: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** True when the other side reads more slowly than this one writes. */
  get isBehind(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** A frame, preceded by as many parts as its body needs. */
  async send(type: FrameType, request: number, body: Uint8Array = new Uint8Array()): Promise<void> {
    const lastStart =
      Math.max(0, Math.ceil(body.length / MAX_PAYLOAD_SIZE_BYTES) - 1) * MAX_PAYLOAD_SIZE_BYTES;
    for (let start = 0; start < lastStart; start += MAX_PAYLOAD_SIZE_BYTES) {
      this.#write(FRAME.part, request, body.subarray(start, start + MAX_PAYLOAD_SIZE_BYTES));
      await this.#drained();
    }
    this.#write(type, request, body.subarray(lastStart));
    await this.#drained();
  }

  /** Content, of at most `MAX_PAYLOAD_SIZE_BYTES`. When this resolves, `piece` may be used again. */
  async sendBytes(request: number, piece: Uint8Array): Promise<void> {
    if (!this.#socket.writable) return;
    await new Promise<void>((resolve) => {
      this.#socket.cork();
      this.#socket.write(encodeHeader(FRAME.bytes, request, piece.length));
      // Called with an error as well, when the other side is gone: whoever listens for that ends the request.
      this.#socket.write(piece, () => {
        resolve();
      });
      this.#socket.uncork();
    });
  }

  #write(type: FrameType, request: number, payload: Uint8Array): void {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    this.#socket.write(encodeHeader(type, request, payload.length));
    if (payload.length > 0) this.#socket.write(payload);
    this.#socket.uncork();
  }

  async #drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    this.#draining ??= new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        this.#draining = undefined;
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
    await this.#draining;
  }
}
