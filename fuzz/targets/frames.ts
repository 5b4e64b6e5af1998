import { decodeBody, decodePlainBody, encodeBody } from '../../packages/host/src/wire/body.ts';
import { FRAME, encodeHeader } from '../../packages/host/src/wire/frame.ts';
import { FrameReader } from '../../packages/host/src/wire/frame-reader.ts';
import { parseClientHello, parseOwnerHello } from '../../packages/host/src/wire/hello.ts';
import { parseCall } from '../../packages/host/src/serve/serve-request.ts';
import { checkRefusal, must, refusable } from './target.ts';
import type { Target } from './target.ts';

const REFUSED = ['ProtocolError'];
const MAX_PAYLOAD = 1_048_576;

/** What arrives at the socket of an owner, in pieces of the size that the first byte says. */
export const frames: Target = {
  name: 'frames',
  covers: ['host/src/wire/', 'host/src/serve/serve-request.ts'],
  seeds: () => {
    const hello = encodeBody({ protocol: 1, release: '0.0.0' });
    const call = encodeBody({ method: 'list', args: [{ folder: 'a', limit: 3 }], progress: false });
    const secret = encodeBody({
      method: 'addSlot',
      args: [{ kind: 'recovery', code: new Uint8Array(20) }],
      progress: true,
    });
    const failure = encodeBody(new RangeError('no'));
    return [
      frame(FRAME.hello, 0, hello),
      Buffer.concat([frame(FRAME.hello, 0, hello), frame(FRAME.call, 1, call), frame(FRAME.cancel, 1)]),
      Buffer.concat([
        frame(FRAME.call, 7, secret),
        frame(FRAME.bytes, 7, Buffer.alloc(300)),
        frame(FRAME.end, 7),
      ]),
      Buffer.concat([frame(FRAME.part, 9, call.subarray(0, 20)), frame(FRAME.call, 9, call.subarray(20))]),
      Buffer.concat([frame(FRAME.failed, 3, failure), frame(FRAME.credit, 3, Buffer.alloc(4, 1))]),
    ].map((bytes) => Buffer.concat([Buffer.of(7), bytes]));
  },
  maxSizeBytes: 6_000,
  dictionary: [
    '"$bytes"',
    '"$error"',
    '[0,1]',
    '"method"',
    '"args"',
    '"progress"',
    '"__proto__"',
    '[[[[[[[[',
    '{"a":',
  ],
  async run(input) {
    const pieceSize = (input[0] ?? 0) + 1;
    const reader = new FrameReader();
    const bytes = Buffer.from(input.subarray(1));
    try {
      for (let at = 0; at < bytes.length; at += pieceSize) {
        for (const { type, payload, cost } of reader.read(bytes.subarray(at, at + pieceSize))) {
          must(payload.length <= MAX_PAYLOAD, 'a payload is within its bound');
          must(cost >= payload.length, 'a frame costs what it holds');
          if (type !== FRAME.bytes) await decode(payload);
        }
      }
    } catch (error) {
      checkRefusal(REFUSED, error);
    }
  },
};

async function decode(payload: Buffer): Promise<void> {
  const plain = refusable(REFUSED, () => decodePlainBody(payload));
  if (plain !== undefined) {
    refusable(REFUSED, () => parseClientHello(plain));
    refusable(REFUSED, () => parseOwnerHello(plain));
  }
  let value: unknown;
  try {
    value = await decodeBody(payload);
  } catch (error) {
    checkRefusal(REFUSED, error);
    return;
  }
  refusable(REFUSED, () => parseCall(value));
}

function frame(
  type: (typeof FRAME)[keyof typeof FRAME],
  request: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  return Buffer.concat([encodeHeader(type, request, payload.length), payload]);
}
