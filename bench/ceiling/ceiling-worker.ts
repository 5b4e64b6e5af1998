/** One thread of a ceiling: its part of the file's segments. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
} from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BlockSink } from './block-sink.ts';
import type { CeilingTask } from './ceiling.ts';

const SEGMENT_SIZE_BYTES = 256 * 1024;
const task = workerData as CeilingTask & { readonly index: number };

const key = createSecretKey(randomBytes(16));
const iv = randomBytes(16);
const prefix = Buffer.alloc(25);
const whole = createHash('sha256');
const source = task.files === undefined ? undefined : openSync(task.files.source, 'r');
const count = Math.ceil(task.sizeBytes / SEGMENT_SIZE_BYTES / task.threads);
const first = task.index * count;
// 64 MiB between the parts: tokens are a little longer than segments.
const begin = task.index * (count * SEGMENT_SIZE_BYTES + 64 * 1024 * 1024);
const sink = task.files === undefined ? undefined : new BlockSink(task.files.target, begin);

const plaintext = randomBytes(SEGMENT_SIZE_BYTES);
// Copied: what `seal` returns is freed once it was used.
const sealedOnce = seal(plaintext).map((part) => Uint8Array.from(part));

parentPort?.once('message', () => {
  void workThrough();
});
parentPort?.postMessage('ready');

async function workThrough(): Promise<void> {
  for (let segment = first; segment < first + count; segment++) await work(segment);
  whole.digest();
  await sink?.end();
  parentPort?.postMessage('done');
}

async function work(segment: number): Promise<void> {
  switch (task.work) {
    case 'seal':
      if (source !== undefined)
        readSync(source, plaintext, 0, SEGMENT_SIZE_BYTES, segment * SEGMENT_SIZE_BYTES);
      whole.update(plaintext);
      await put(seal(plaintext));
      break;
    case 'open':
      // It is paid for, but not used: what is opened is always the same segment, sealed with the key of this run.
      if (source !== undefined)
        readSync(source, plaintext, 0, SEGMENT_SIZE_BYTES, segment * SEGMENT_SIZE_BYTES);
      await put(openSealed(sealedOnce));
      break;
    case 'sha256':
      whole.update(plaintext);
      break;
    case 'aes-128-cbc':
      free(encrypt(plaintext)[0]);
      break;
    case 'hmac-sha256':
      createHmac('sha256', key).update(plaintext).digest();
      break;
  }
}

async function put(parts: readonly Uint8Array[]): Promise<void> {
  await sink?.put(parts);
  for (const part of parts) free(part);
}

/** As @coffer/crypto does: the garbage collector would be busy with these. */
function free({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= SEGMENT_SIZE_BYTES / 2 && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function seal(bytes: Uint8Array): Uint8Array[] {
  const [body, tail] = encrypt(bytes);
  const mac = createHmac('sha256', key).update(prefix).update(body).update(tail).digest();
  return [prefix, body, tail, mac];
}

function encrypt(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  return [cipher.update(bytes), cipher.final()];
}

function openSealed([head = prefix, body = prefix, tail = prefix]: readonly Uint8Array[]): Uint8Array[] {
  createHmac('sha256', key).update(head).update(body).update(tail).digest();
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  const parts = [decipher.update(body), decipher.update(tail), decipher.final()];
  for (const part of parts) whole.update(part);
  return parts;
}
