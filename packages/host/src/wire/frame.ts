/** What a frame is. The numbers are those of docs/spec/host.md and never change their meaning. */
export const FRAME = {
  /** Both ways, first: who this is. */
  hello: 1,
  /** To the owner: a request. */
  call: 2,
  /** Both ways: a part of the body of the next frame of the same request. */
  part: 3,
  /** From the owner: an event of a stream. */
  item: 4,
  /** Both ways: content. */
  bytes: 5,
  /** From the owner: how far it is. */
  progress: 6,
  /** From the owner: the result, and the end of a request. */
  result: 7,
  /** From the owner: an error, and the end of a request. To the owner: the source of an upload failed. */
  failed: 8,
  /** To the owner: the upload is whole. */
  end: 9,
  /** Both ways: so many bytes more may be sent. */
  credit: 10,
  /** To the owner: give it up. */
  cancel: 11,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** `length u32 ‖ type u8 ‖ request u32`, big-endian; the length is that of the payload. */
export const HEADER_SIZE_BYTES = 9;
export const MAX_PAYLOAD_SIZE_BYTES = 1_048_576;

/** What a frame costs its receiver beside its payload, so that empty ones are not for nothing. */
const OVERHEAD_SIZE_BYTES = 64;

/** A frame, or a piece of one that carries content: that is passed on as it comes, never collected. */
export interface Frame {
  readonly type: FrameType;
  readonly request: number;
  readonly payload: Buffer;
  /** What it takes from the window of its request: of a frame's pieces, the first has the overhead. */
  readonly cost: number;
}

/** What a frame takes from the window of its request. */
export function costOf(payloadSizeBytes: number): number {
  return payloadSizeBytes + OVERHEAD_SIZE_BYTES;
}

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

export function isFrameType(type: number): type is FrameType {
  return KNOWN_TYPES.has(type);
}

export function encodeHeader(type: FrameType, request: number, payloadSizeBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_SIZE_BYTES);
  header.writeUInt32BE(payloadSizeBytes, 0);
  header.writeUInt8(type, 4);
  header.writeUInt32BE(request, 5);
  return header;
}
