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
