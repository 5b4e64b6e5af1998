import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBody } from '../src/wire/body.ts';
import { FRAME, MAX_PAYLOAD_SIZE_BYTES, encodeHeader } from '../src/wire/frame.ts';
import type { FrameType } from '../src/wire/frame.ts';
import { PROTOCOL_VERSION, releaseOfThisPackage } from '../src/wire/hello.ts';
import { ServedVault } from './support/served-vault.ts';
import { put } from './support/test-vault.ts';

const frame = (type: FrameType, request: number, payload: Uint8Array = new Uint8Array()): Buffer =>
  Buffer.concat([encodeHeader(type, request, payload.length), payload]);
const HELLO = frame(
  FRAME.hello,
  0,
  encodeBody({ protocol: PROTOCOL_VERSION, release: releaseOfThisPackage() }),
);
const call = (request: number, method: string, ...args: unknown[]): Buffer =>
  frame(FRAME.call, request, encodeBody({ method, args, progress: false }));

/** Resolves when the connection is over, however: what is sent to somebody who has hung up may be an error, which `once` would throw. */
async function over(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
}

/** Sends, and resolves when the owner has hung up. */
async function isHungUpOn(served: ServedVault, ...pieces: Buffer[]): Promise<boolean> {
  const socket = await served.rawSocket();
  const end = over(socket.resume());
  for (const piece of pieces) socket.write(piece);
  await end;
  return true;
}

function errorsIn(received: string): number {
  return received.split('"name":"ProtocolError"').length - 1;
}

/** The owner works for everybody else. */
async function works(served: ServedVault): Promise<boolean> {
  await using client = await served.connect();
  return (await client.list()).files.length === 1;
}

async function serve(): Promise<ServedVault> {
  const served = await ServedVault.create();
  await put(served.made.vault, 'large.bin', Buffer.alloc(6_000_000, 7));
  return served;
}

test('what is not the protocol ends its connection, and nothing else', async () => {
  await using served = await serve();
  const credit = Buffer.from([0xff, 0xff, 0xff, 0xff]);
  const cases: Buffer[][] = [
    [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    [call(1, 'list')],
    [frame(FRAME.hello, 0, encodeBody({ protocol: 2, release: releaseOfThisPackage() }))],
    [frame(FRAME.hello, 0, encodeBody({ protocol: PROTOCOL_VERSION, release: '99.0.0' }))],
    [frame(FRAME.hello, 0, Buffer.from('{}'))],
    [HELLO, HELLO],
    [HELLO, encodeHeader(FRAME.call, 1, MAX_PAYLOAD_SIZE_BYTES + 1)],
    [HELLO, frame(FRAME.call, 1, Buffer.from([0, 0, 0, 0, 9]))],
    [HELLO, frame(FRAME.call, 1, encodeBody({ method: 'list', args: 'x', progress: false }))],
    [HELLO, frame(FRAME.result, 1, encodeBody(null))],
    [HELLO, frame(FRAME.part, 1)],
    [HELLO, call(1, 'read', 'large.bin'), frame(FRAME.credit, 1, credit)],
    [HELLO, call(1, 'read', 'large.bin'), frame(FRAME.credit, 1, Buffer.from([1]))],
    [HELLO, call(1, 'read', 'large.bin'), call(1, 'list')],
    [HELLO, ...Array.from({ length: 17 }, (_, index) => call(index, 'read', 'large.bin'))],
    [HELLO, ...Array.from({ length: 40 }, () => frame(FRAME.part, 1, Buffer.alloc(MAX_PAYLOAD_SIZE_BYTES)))],
  ];
  for (const [index, pieces] of cases.entries()) {
    expect([index, await isHungUpOn(served, ...pieces)]).toEqual([index, true]);
  }
  expect(await works(served)).toBe(true);
  expect(served.complaints).toHaveLength(cases.length);
});

test('an upload that is more than there is credit for ends the connection', async () => {
  await using served = await serve();
  // Nobody takes it: the file is refused before.
  const upload = Array.from({ length: 7 }, () => frame(FRAME.bytes, 1, Buffer.alloc(MAX_PAYLOAD_SIZE_BYTES)));
  const socket = await served.rawSocket();
  socket.on('error', () => undefined).resume();
  socket.write(Buffer.concat([HELLO, call(1, 'addStream', null, { name: 'large.bin' }), ...upload]));
  await new Promise<void>((resolve) => socket.end(resolve));
  expect(await works(served)).toBe(true);
});

test('a method that is not there and arguments that do not fit are errors of that request only', async () => {
  await using served = await serve();
  const socket = await served.rawSocket();
  const answers = Buffer.concat([
    HELLO,
    call(1, 'close'),
    call(2, '__proto__'),
    call(3, 'list', { sql: 'x' }),
    call(4, 'verifySecret', { kind: 'passphrase', passphrase: 'text' }),
    call(5, 'tags'),
  ]);
  socket.write(answers);
  let received = '';
  for await (const piece of socket as AsyncIterable<Buffer>) {
    received += piece.toString('latin1');
    if (errorsIn(received) === 4) break;
  }
  expect(errorsIn(received)).toBe(4);
  expect(await works(served)).toBe(true);
});

test('a client that never reads is waited for, with no more than a window of content in memory', async () => {
  await using served = await serve();
  const sockets: Socket[] = [];
  for (let index = 0; index < 8; index += 1) {
    const socket = await served.rawSocket();
    socket.pause();
    socket.write(Buffer.concat([HELLO, call(1, 'read', 'large.bin'), call(2, 'read', 'large.bin')]));
    sockets.push(socket);
  }
  const before = process.memoryUsage();
  for (let round = 0; round < 5; round += 1) expect(await works(served)).toBe(true);
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 8_388_608);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => served.outcomes.filter((line) => line.startsWith('read')).length).toBe(16);
});

test('any bytes, after a hello or without one, harm nobody', async () => {
  await using served = await serve();
  const frames = fc.array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.constantFrom(...Object.values(FRAME)), fc.nat(3), fc.uint8Array({ maxLength: 50 }))
        .map(([type, request, payload]) => frame(type, request, payload)),
      fc
        .tuple(fc.nat(3), fc.constantFrom('list', 'tags', 'read', 'addStream', 'check'), fc.jsonValue())
        .map(([request, method, arg]) => call(request, method, arg)),
    ),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), frames, async (greets, pieces) => {
      const socket = await served.rawSocket();
      const closed = over(socket.resume());
      socket.end(Buffer.concat(greets ? [HELLO, ...pieces] : pieces));
      await closed;
    }),
    { numRuns: 150 },
  );
  expect(await works(served)).toBe(true);
});
