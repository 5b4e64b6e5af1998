const SAMPLE_RATE = 22_050;

/** Strokes of a ship's bell at these seconds: four bells are two pairs. */
const STROKES: readonly number[] = [0.05, 0.5, 1.5, 1.95];
const LENGTH_SECONDS = 4;

/** Partials of a bell: how high above the strike note, how loud, how many seconds to fade to a third. */
const PARTIALS: readonly (readonly [ratio: number, level: number, fadeSeconds: number])[] = [
  [0.5, 0.3, 1.3],
  [1, 0.5, 0.9],
  [1.19, 0.3, 0.7],
  [1.5, 0.2, 0.5],
  [2, 0.35, 0.45],
  [2.67, 0.15, 0.25],
  [4.07, 0.1, 0.12],
];
const STRIKE_NOTE_HZ = 880;

/** Four bells of the watch, as a WAV: 16 bits, mono. */
export function ringBells(): Uint8Array {
  const samples = new Int16Array(SAMPLE_RATE * LENGTH_SECONDS);
  for (let index = 0; index < samples.length; index++) {
    const seconds = index / SAMPLE_RATE;
    let level = 0;
    for (const stroke of STROKES) if (seconds >= stroke) level += bellAt(seconds - stroke);
    samples[index] = Math.round(Math.max(-1, Math.min(1, level * 0.4)) * 32_767);
  }
  return encodeWav(samples);
}

function bellAt(seconds: number): number {
  const attack = Math.min(1, seconds / 0.002);
  return (
    PARTIALS.reduce(
      (sum, [ratio, level, fadeSeconds]) =>
        sum +
        level * Math.exp(-seconds / fadeSeconds) * Math.sin(2 * Math.PI * STRIKE_NOTE_HZ * ratio * seconds),
      0,
    ) * attack
  );
}

/** RIFF with one `fmt ` and one `data` chunk, little-endian. */
function encodeWav(samples: Int16Array): Uint8Array {
  const sizeBytes = samples.length * 2;
  const wav = Buffer.alloc(44 + sizeBytes);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + sizeBytes, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // mono
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(SAMPLE_RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(sizeBytes, 40);
  samples.forEach((sample, index) => wav.writeInt16LE(sample, 44 + index * 2));
  return wav;
}
