import { createRandom, pick } from './random.ts';

const SIZE_BYTES = 3_000_000;

const WINDS = [
  'calm',
  'light airs',
  'a light breeze',
  'a gentle breeze',
  'a fresh breeze',
  'a strong breeze',
  'half a gale',
];
const QUARTERS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'];
const SEAS = ['smooth', 'slight', 'moderate', 'confused', 'with a long swell', 'running high'];
const SIGHTS = [
  'a brig hull down to leeward',
  'porpoises under the bow',
  'a light, two flashes every ten seconds',
  'nothing but water',
  'the loom of the land',
  'a floating cask, empty',
  'more stars than anyone cared to count',
  'a gull that stayed for supper',
];
const WORK = [
  'mended the fore topsail',
  'pumped for twenty minutes',
  'took a reef in',
  'shook the reef out',
  'wound the chronometer',
  'scrubbed the deck',
  'found the cat',
  'looked for the cat',
  'read the letters again',
];

/** The log of the Halcyon, hour by hour, 3,000,000 bytes of ASCII; the last line ends where the paper does. */
export function writeLogbook(): Uint8Array {
  const random = createRandom(1742);
  const lines: string[] = ['LOG OF THE HALCYON, kept hour by hour\n\n'];
  let sizeBytes = lines[0]?.length ?? 0;
  let latitude = 38.5;
  let longitude = -28.6;
  for (let hour = 0; sizeBytes < SIZE_BYTES; hour++) {
    latitude = Math.max(30, Math.min(55, latitude + (random() - 0.48) * 0.1));
    longitude = Math.max(-60, Math.min(-5, longitude + (random() - 0.5) * 0.16));
    const line =
      `day ${String(Math.floor(hour / 24) + 1)}, ${String(hour % 24).padStart(2, '0')}:00  ${degrees(latitude, 'N', 'S')} ` +
      `${degrees(longitude, 'E', 'W')}  ${pick(random, WINDS)} from the ${pick(random, QUARTERS)}, sea ${pick(random, SEAS)}; ` +
      `saw ${pick(random, SIGHTS)}; ${pick(random, WORK)}\n`;
    lines.push(line);
    sizeBytes += line.length;
  }
  return new TextEncoder().encode(lines.join('')).subarray(0, SIZE_BYTES);
}

function degrees(value: number, positive: string, negative: string): string {
  const minutes = Math.round(Math.abs(value) * 60);
  const [whole, rest] = [Math.floor(minutes / 60), minutes % 60];
  const direction = value < 0 ? negative : positive;
  return `${String(whole)}-${String(rest).padStart(2, '0')} ${direction}`;
}
