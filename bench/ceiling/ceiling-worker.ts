/** One thread of a ceiling: every n-th segment of the file. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
} from 'node:crypto';
import { openSync, readSync, writevSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { CeilingTask } from './ceiling.ts';

const SEGMENT_SIZE_BYTES = 256 * 1024;
const task = workerData as CeilingTask & { readonly index: number };

const key = createSecretKey(randomBytes(16));
const iv = randomBytes(16);
const prefix = Buffer.alloc(25);
const whole = createHash('sha256');
const source = task.files === undefined ? undefined : openSync(task.files.source, 'r');
const target = task.files === undefined ? undefined : openSync(task.files.target, 'r+');

const plaintext = randomBytes(SEGMENT_SIZE_BYTES);
const sealedOnce = seal(plaintext);

parentPort?.once('message', () => {
  const count = Math.ceil(task.sizeBytes / SEGMENT_SIZE_BYTES);
  for (let segment = task.index; segment < count; segment += task.threads) work(segment);
  whole.digest();
  parentPort?.postMessage('done');
});
parentPort?.postMessage('ready');

function work(segment: number): void {
  switch (task.work) {
    case 'seal':
      if (source !== undefined)
        readSync(source, plaintext, 0, SEGMENT_SIZE_BYTES, segment * SEGMENT_SIZE_BYTES);
      whole.update(plaintext);
      write(segment, seal(plaintext));
      break;
    case 'open':
      // It is paid for, but not used: what is opened is always the same segment, sealed with the key of this run.
      if (source !== undefined)
        readSync(source, plaintext, 0, SEGMENT_SIZE_BYTES, segment * SEGMENT_SIZE_BYTES);
      write(segment, openSealed(sealedOnce));
      break;
    case 'sha256':
      whole.update(plaintext);
      break;
    case 'aes-128-cbc':
      encrypt(plaintext);
      break;
    case 'hmac-sha256':
      createHmac('sha256', key).update(plaintext).digest();
      break;
  }
}

function write(segment: number, parts: readonly Uint8Array[]): void {
  if (target === undefined) return;
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  writevSync(target, parts, segment * sizeBytes);
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
