import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { VaultError } from '@coffer/vault';
import { expect, test } from 'vitest';
import { connectToOwner } from '../src/connect/connect-to-owner.ts';
import { socketPath } from '../src/place/socket-place.ts';
import { encodeBody } from '../src/wire/body.ts';
import { FRAME, encodeHeader } from '../src/wire/frame.ts';
import { PROTOCOL_VERSION, releaseOfThisPackage } from '../src/wire/hello.ts';
import { ServedVault } from './support/served-vault.ts';
import { collect, put } from './support/test-vault.ts';

test('calls, streams and progress come through', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  mkdirSync(served.made.path('in'));
  writeFileSync(served.made.path('in', 'a.txt'), 'hello');
  writeFileSync(served.made.path('in', 'b.bin'), Buffer.alloc(300_000, 7));
  const reports: unknown[] = [];
  const events = await collect(
    client.addPaths(['in'], { recursive: true, tags: ['new'], onProgress: (report) => reports.push(report) }),
  );
  expect(events).toMatchObject([
    { type: 'added', source: 'in/a.txt', file: { path: 'in/a.txt', tags: ['new'] } },
    { type: 'added', source: 'in/b.bin' },
  ]);
  expect(reports.at(-1)).toMatchObject({ filesDone: 2, bytesDone: 300_005 });
  expect(await client.list({ recursive: true })).toEqual({
    ...served.made.vault.list({ recursive: true }),
    nextCursor: undefined,
  });
  expect(await client.status()).toEqual(served.made.vault.status());
  expect(await client.slots()).toMatchObject(served.made.vault.slots().map(({ id, kind }) => ({ id, kind })));
  expect(client.vaultId).toBe(served.made.vault.vaultId);
});

test('content comes through as it is, in both directions', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  const content = Buffer.alloc(20_000_000);
  for (let index = 0; index < content.length; index += 1) content[index] = (index * 31 + (index >> 8)) & 0xff;
  await put(client, 'large.bin', content);
  const hash = createHash('sha256');
  for await (const piece of client.read('large.bin', { transient: true })) hash.update(piece);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  const range = Buffer.concat(await collect(client.read('large.bin', { start: 262_140, end: 262_150 })));
  expect(range.equals(content.subarray(262_140, 262_150))).toBe(true);
});

test('pieces that are collected stay what they are, and transient ones until the next', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  const content = Buffer.alloc(9_000_000);
  for (let index = 0; index < content.length; index += 4) content.writeUInt32BE(index, index);
  await put(client, 'large.bin', content);
  expect(Buffer.concat(await collect(client.read('large.bin'))).equals(content)).toBe(true);
  let offset = 0;
  for await (const piece of client.read('large.bin', { transient: true })) {
    // Whatever else arrives meanwhile.
    await client.tags();
    await new Promise((resolve) => setImmediate(resolve));
    expect(content.subarray(offset, offset + piece.length).equals(piece)).toBe(true);
    offset += piece.length;
  }
  expect(offset).toBe(content.length);
});

test('an error is a VaultError again, with its hint and its candidates', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  await put(client, 'x.txt', '1');
  await client.move('x.txt', 'one/x.txt');
  await put(client, 'y.txt', '2');
  await client.move('y.txt', 'two/x.txt');
  const error: unknown = await client.resolve('x.txt').catch((reason: unknown) => reason);
  const direct: unknown = await new Promise((resolve) => {
    try {
      served.made.vault.resolve('x.txt');
    } catch (reason) {
      resolve(reason);
    }
  });
  expect(error).toBeInstanceOf(VaultError);
  expect(direct).toBeInstanceOf(VaultError);
  const { code, message, hint, candidates } = direct as VaultError;
  expect(error).toMatchObject({ code, message, hint, candidates });
  expect(candidates).toHaveLength(2);
  // Those in events as well.
  const [event] = await collect(client.addPaths(['none']));
  expect(event).toMatchObject({ type: 'failed', source: 'none' });
  expect(event?.type === 'failed' && event.error).toBeInstanceOf(VaultError);
});

test('a secret that opens the vault is verified, another one is not', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  expect(await client.verifySecret({ kind: 'keyfile', path: 'key' })).toMatchObject({ kind: 'keyfile' });
  const passphrase = new TextEncoder().encode('correct horse battery');
  const argon2id = { memoryKiB: 19_456, passes: 2, parallelism: 1 };
  const slot = await client.addSlot({ kind: 'passphrase', passphrase }, { label: 'desk', argon2id });
  expect(slot).toMatchObject({ kind: 'passphrase', label: 'desk' });
  expect(await client.verifySecret({ kind: 'passphrase', passphrase })).toMatchObject({ id: slot.id });
  const wrong = new TextEncoder().encode('wrong horse battery');
  await expect(client.verifySecret({ kind: 'passphrase', passphrase: wrong })).rejects.toMatchObject({
    code: 'WRONG_KEY',
  });
});

test('restored files have the modes that the client would have given them', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  await put(client, 'a.txt', 'hello');
  await collect(client.getPaths(['a.txt'], { destination: 'out/' }));
  expect(statSync(served.made.path('out', 'a.txt')).mode & 0o777).toBe(0o644);
  expect(statSync(served.made.path('out')).mode & 0o777).toBe(0o755);
  expect(readFileSync(served.made.path('out', 'a.txt'), 'utf8')).toBe('hello');
});

test('who stops reading early has the rest given up, and the connection goes on', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  await put(client, 'large.bin', Buffer.alloc(40_000_000, 7));
  for await (const piece of client.read('large.bin', { transient: true })) {
    expect(piece[0]).toBe(7);
    break;
  }
  expect((await client.list()).files).toHaveLength(1);
  // What was being read for it ends by itself.
  await expect.poll(() => served.outcomes.filter((outcome) => outcome.startsWith('read'))).toHaveLength(1);
});

test('a signal ends what is running, as it does without an agent', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield await Promise.resolve(Buffer.alloc(65_536));
      if (served.made.vault.status().files === 0)
        setTimeout(() => {
          controller.abort();
        }, 50);
    }
  }
  await expect(client.addStream(endless(), { name: 'x', signal: controller.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  expect(readdirSync(served.made.path('vault', 'files'))).toEqual([]);
});

test('an upload arrives as it was sent, in pieces of whatever size, and from a source that fills one buffer again and again', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  const sent = createHash('sha256');
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.alloc(3_000_000);
    // Beyond the size from which the threads of the pool take part.
    for (const sizeBytes of [
      1,
      0,
      31,
      40_000,
      65_536,
      3_000_000,
      7,
      32_768,
      ...Array<number>(20).fill(999_983),
    ]) {
      const piece = randomFillSync(buffer.subarray(0, sizeBytes));
      sent.update(piece);
      yield await Promise.resolve(piece);
      buffer.fill(0);
    }
  }
  await client.addStream(pieces(), { name: 'large' });
  const arrived = createHash('sha256');
  for await (const piece of client.read('large')) arrived.update(piece);
  expect(arrived.digest('hex')).toBe(sent.digest('hex'));
});

test('a source that fails is the failure of the request', async () => {
  await using served = await ServedVault.create();
  await using client = await served.connect();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('beginning'));
    throw new Error('EIO: i/o error, read');
  }
  await expect(client.addStream(broken(), { name: 'x' })).rejects.toMatchObject({
    message: expect.stringContaining('EIO') as string,
  });
  expect((await client.list()).files).toEqual([]);
});

test('requests on one connection and on several run side by side', async () => {
  await using served = await ServedVault.create();
  await using first = await served.connect();
  await using second = await served.connect();
  await put(first, 'large.bin', Buffer.alloc(10_000_000, 7));
  const sizes = await Promise.all(
    [first, first, second].map(async (client) => {
      let sizeBytes = 0;
      for await (const piece of client.read('large.bin', { transient: true })) {
        sizeBytes += piece.length;
        await client.tags();
      }
      return sizeBytes;
    }),
  );
  expect(sizes).toEqual([10_000_000, 10_000_000, 10_000_000]);
});

test('a client that dies has only its own work given up', async () => {
  await using served = await ServedVault.create();
  await using stays = await served.connect();
  const dies = await served.connect();
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(300_000));
    await dies.close();
    await new Promise(() => undefined);
  }
  await expect(dies.addStream(slow(), { name: 'never' })).rejects.toMatchObject({ code: 'CLOSED' });
  await expect.poll(() => served.outcomes).toContain('addStream ABORTED');
  expect(readdirSync(served.made.path('vault', 'files'))).toEqual([]);
  expect((await stays.list()).files).toEqual([]);
});

test('the socket is for this user only, and goes with the owner', async () => {
  const served = await ServedVault.create();
  const path = socketPath(served.server.place);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(served.server.place.folder).mode & 0o777).toBe(0o700);
  await served.server.drain(new Error('over'));
  await served.server.close();
  expect(readdirSync(served.server.place.folder)).toEqual([]);
  expect(await connectToOwner(served.made.vault.directory, { places: served.places })).toBeUndefined();
  await served.made[Symbol.asyncDispose]();
});

test('closing does not wait for a client that reads nothing', async () => {
  const served = await ServedVault.create();
  await put(served.made.vault, 'large.bin', Buffer.alloc(6_000_000, 7));
  const reading = await served.connect();
  const pieces = reading.read('large.bin', { transient: true });
  await pieces.next();
  const socket = await served.rawSocket();
  socket.pause();
  const hello = { protocol: PROTOCOL_VERSION, release: releaseOfThisPackage() };
  const call = { method: 'read', args: ['large.bin'], progress: false };
  for (const [type, body] of [
    [FRAME.hello, hello],
    [FRAME.call, call],
  ] as const) {
    const payload = encodeBody(body);
    socket.write(Buffer.concat([encodeHeader(type, 1, payload.length), payload]));
  }
  await expect.poll(() => served.running()).toBe(2);
  await served.server.drain(new VaultError('CLOSED', 'the vault was locked'));
  await served.server.close();
  await served.made[Symbol.asyncDispose]();
  await expect(collect(pieces)).rejects.toMatchObject({ code: 'CLOSED' });
});

test('closing gives up what is running and says why', async () => {
  const served = await ServedVault.create();
  const client = await served.connect();
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      yield Buffer.alloc(65_536);
    }
  }
  const adding = client.addStream(endless(), { name: 'x' });
  adding.catch(() => undefined);
  await expect.poll(() => readdirSync(served.made.path('vault', 'files')).length).toBe(1);
  await served.server.drain(new VaultError('CLOSED', 'the vault was locked'));
  await expect(adding).rejects.toMatchObject({ code: 'CLOSED', message: 'the vault was locked' });
  expect(readdirSync(served.made.path('vault', 'files'))).toEqual([]);
  await served.server.close();
  await served.made[Symbol.asyncDispose]();
});
