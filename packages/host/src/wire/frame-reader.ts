import { FRAME, HEADER_SIZE_BYTES, MAX_PAYLOAD_SIZE_BYTES, costOf, isFrameType } from './frame.ts';
import type { Frame, FrameType } from './frame.ts';
import { ProtocolError } from './protocol-error.ts';

interface Begun {
  readonly type: FrameType;
  readonly request: number;
  /** `undefined` for content, which is passed on piece by piece. */
  readonly payload: Buffer | undefined;
  readonly sizeBytes: number;
  filled: number;
}

/**
 * Cuts what arrives into frames, whatever pieces it arrives in. Holds at most one payload; what it has copied out of a piece it zeroes there, for it may
 * be a secret. Throws `ProtocolError` for an unknown type and a payload that is too long, before anything is allocated for it.
 */
export class FrameReader {
  readonly #header: Buffer = Buffer.alloc(HEADER_SIZE_BYTES);
  #headerFilled = 0;
  #begun: Begun | undefined;

  *read(piece: Buffer): Generator<Frame, void, undefined> {
    let offset = 0;
    while (offset < piece.length || this.#begun?.sizeBytes === 0) {
      if (this.#begun === undefined) {
        const taken = piece.copy(this.#header, this.#headerFilled, offset);
        offset += taken;
        this.#headerFilled += taken;
        if (this.#headerFilled < HEADER_SIZE_BYTES) return;
        this.#headerFilled = 0;
        this.#begun = begin(this.#header);
        continue;
      }
      const begun = this.#begun;
      const end = Math.min(piece.length, offset + begun.sizeBytes - begun.filled);
      const part = piece.subarray(offset, end);
      offset = end;
      begun.filled += part.length;
      if (begun.payload !== undefined) {
        part.copy(begun.payload, begun.filled - part.length);
        part.fill(0);
      }
      const isWhole = begun.filled === begun.sizeBytes;
      if (isWhole) this.#begun = undefined;
      const { type, request, payload } = begun;
      if (payload !== undefined) {
        if (isWhole) yield { type, request, payload, cost: costOf(payload.length) };
        continue;
      }
      const isFirst = begun.filled === part.length;
      yield { type, request, payload: part, cost: isFirst ? costOf(part.length) : part.length };
    }
  }
}

function begin(header: Buffer): Begun {
  const sizeBytes = header.readUInt32BE(0);
  const type = header.readUInt8(4);
  const request = header.readUInt32BE(5);
  if (!isFrameType(type)) throw new ProtocolError(`there is no frame of type ${String(type)}`);
  if (sizeBytes > MAX_PAYLOAD_SIZE_BYTES)
    throw new ProtocolError(`a frame of ${String(sizeBytes)} bytes is too long`);
  return {
    type,
    request,
    payload: type === FRAME.bytes ? undefined : Buffer.alloc(sizeBytes),
    sizeBytes,
    filled: 0,
  };
}
