import { FRAME } from './frame.ts';
import type { Frame } from './frame.ts';
import { ProtocolError } from './protocol-error.ts';

/** Puts bodies together that came in parts, one for each request at a time, up to a bound for all of them. */
export class BodyCollector {
  readonly #parts = new Map<number, Buffer[]>();
  readonly #maxSizeBytes: number;
  #sizeBytes = 0;

  constructor(maxSizeBytes: number) {
    this.#maxSizeBytes = maxSizeBytes;
  }

  /** The whole body of a frame; `undefined` for a part, which is kept. Throws `ProtocolError` beyond the bound. */
  take({ type, request, payload }: Frame): Buffer | undefined {
    const parts = this.#parts.get(request) ?? [];
    if (type === FRAME.part) {
      this.#sizeBytes += payload.length;
      // An empty part costs nothing but its place in the list.
      if (payload.length === 0 || this.#sizeBytes > this.#maxSizeBytes)
        throw new ProtocolError('a body is too long');
      this.#parts.set(request, [...parts, payload]);
      return undefined;
    }
    if (parts.length === 0) return payload;
    this.#parts.delete(request);
    const body = Buffer.concat([...parts, payload]);
    for (const part of parts) {
      this.#sizeBytes -= part.length;
      part.fill(0);
    }
    return body;
  }
}
