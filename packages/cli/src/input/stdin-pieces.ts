import { once } from 'node:events';
import type { Context } from '../context.ts';
import type { Host } from '../host.ts';

/**
 * What is piped to this program. Each piece is valid until the next one is asked for: its memory is given back then, for V8 would count it until it collects
 * garbage, and doing that for thousands of pieces takes a third of all processor time.
 */
export async function* stdinPieces({ stdin }: Pick<Host, 'stdin'>): AsyncGenerator<Uint8Array> {
  for await (const piece of stdin as AsyncIterable<Uint8Array>) {
    yield piece;
    const { buffer, byteLength } = piece;
    // What does not fill its memory shares it with others.
    if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
  }
}

/** Resolves when something has been piped to this program, or nothing will be. */
export async function untilStdinSpeaks({
  host: { stdin },
  signal,
}: Pick<Context, 'host' | 'signal'>): Promise<void> {
  // Who types the content is not waited for.
  if ('isTTY' in stdin && stdin.isTTY === true) return;
  if (stdin.readableLength > 0 || stdin.readableEnded || stdin.destroyed) return;
  await once(stdin, 'readable', { signal });
}
