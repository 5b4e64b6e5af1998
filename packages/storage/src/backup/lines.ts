import { damaged } from '../errors.ts';

const LINE_END = 0x0a;

/**
 * The lines of `pieces` without their ends, each held in memory alone. Every line has an end, the last one too: what has none was cut off.
 * Throws `DAMAGED` for a longer line than `maxSizeBytes`, before more than that and one piece is held, and for bytes that are not ASCII.
 */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  maxSizeBytes: number,
): AsyncGenerator<string> {
  let begun = Buffer.alloc(0);
  for await (const piece of pieces) {
    let start = 0;
    for (;;) {
      const end = piece.indexOf(LINE_END, start);
      const part = piece.subarray(start, end < 0 ? piece.length : end);
      if (begun.length + part.length > maxSizeBytes)
        throw damaged('FOLDER_DAMAGED', `it has a line of more than ${String(maxSizeBytes)} bytes`);
      begun = Buffer.concat([begun, part]);
      if (end < 0) break;
      yield toText(begun);
      begun = Buffer.alloc(0);
      start = end + 1;
    }
  }
  if (begun.length > 0) throw damaged('FOLDER_DAMAGED', 'its last line is cut off');
}

function toText(line: Buffer): string {
  if (line.some((byte) => byte > 0x7f)) throw damaged('FOLDER_DAMAGED', 'it has bytes that are no text');
  return line.toString('latin1');
}
