/** Of what a log is made: https://sqlite.org/fileformat.html#the_write_ahead_log */
export const LOG_HEADER = 32;
export const FRAME_HEADER = 24;
export const FRAME: number = FRAME_HEADER + 4096;

/** Where the frames of each transaction end. */
export function commitEnds(log: Buffer): number[] {
  const ends: number[] = [];
  for (let frame = LOG_HEADER; frame < log.length; frame += FRAME)
    if (log.readUInt32BE(frame + 4) !== 0) ends.push(frame + FRAME);
  return ends;
}

/** Makes the checksums of a log right again, as who writes it does. Little-endian, as this machine is. */
export function signFrames(log: Buffer): void {
  let sums = addUp(log.subarray(0, 24), [0, 0]);
  log.writeUInt32BE(sums[0], 24);
  log.writeUInt32BE(sums[1], 28);
  for (let frame = LOG_HEADER; frame < log.length; frame += FRAME) {
    sums = addUp(log.subarray(frame, frame + 8), sums);
    sums = addUp(log.subarray(frame + FRAME_HEADER, frame + FRAME), sums);
    log.writeUInt32BE(sums[0], frame + 16);
    log.writeUInt32BE(sums[1], frame + 20);
  }
}

function addUp(bytes: Buffer, [first, second]: readonly [number, number]): [number, number] {
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + bytes.readUInt32LE(at) + second) >>> 0;
    second = (second + bytes.readUInt32LE(at + 4) + first) >>> 0;
  }
  return [first, second];
}
