import { encodePng } from './encode-png.ts';
import { createRandom } from './random.ts';

type Colour = readonly [red: number, green: number, blue: number];

const WIDTH = 640;
const HEIGHT = 360;
const HORIZON = 224;
const SUN = { x: 404, y: 196, radius: 34 };

/** From the top of the sky to the horizon. */
const SKY: readonly Colour[] = [
  [16, 18, 52],
  [44, 36, 92],
  [112, 58, 120],
  [208, 92, 104],
  [248, 156, 92],
  [255, 214, 140],
];
const SUNLIGHT: Colour = [255, 238, 190];
const WATER: Colour = [14, 22, 54];

/** A sailing boat in a harbour at dusk, as a PNG. */
export function drawHarbour(): Uint8Array {
  const stars = scatterStars();
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      pixels.set(
        colourAt(x, y, stars).map((value) => Math.max(0, Math.min(255, Math.round(value)))),
        (y * WIDTH + x) * 3,
      );
    }
  }
  return encodePng(WIDTH, HEIGHT, pixels);
}

function colourAt(x: number, y: number, stars: ReadonlyMap<number, number>): Colour {
  if (isBoat(x, y)) return [12, 10, 24];
  if (y < HORIZON) return aboveWater(x, y, stars);
  // Water shows what is above it, further up the further down one looks, drawn out by the waves.
  const depth = (y - HORIZON) / (HEIGHT - HORIZON);
  const wave = Math.sin(y * 0.9 + Math.sin(x * 0.045 + y * 0.22) * 2.4) * (2 + depth * 13);
  const mirrored = HORIZON - 1 - (y - HORIZON) * 1.25 + wave * 0.35;
  const seen = aboveWater(x + wave, Math.max(0, Math.min(HORIZON - 1, mirrored)), NO_STARS);
  const glitter =
    Math.sin(y * 1.7 + x * 0.012) > 0.55 && Math.abs(x - SUN.x + wave) < 30 + depth * 46 ? 0.4 : 0;
  return mix(mix(seen, WATER, 0.3 + depth * 0.34), SUNLIGHT, glitter);
}

const NO_STARS: ReadonlyMap<number, number> = new Map();

function aboveWater(x: number, y: number, stars: ReadonlyMap<number, number>): Colour {
  if (y > HORIZON - nearHills(x)) return [24, 16, 42];
  if (y > HORIZON - farHills(x)) return mix([74, 40, 88], skyAt(y), 0.25);
  const distance = Math.hypot(x - SUN.x, y - SUN.y);
  if (distance < SUN.radius)
    return mix(SUNLIGHT, [255, 196, 110], (y - SUN.y + SUN.radius) / (SUN.radius * 3));
  const glow = Math.exp(-(distance - SUN.radius) / 70) * 0.65;
  const cloud = cloudAt(x, y);
  const sky = mix(mix(skyAt(y), [255, 170, 130], cloud), SUNLIGHT, glow);
  const star = stars.get(Math.round(y) * WIDTH + Math.round(x)) ?? 0;
  return mix(sky, [255, 255, 240], star);
}

function skyAt(y: number): Colour {
  const place = (Math.max(0, y) / HORIZON) * (SKY.length - 1);
  const index = Math.min(SKY.length - 2, Math.floor(place));
  return mix(SKY[index] ?? WATER, SKY[index + 1] ?? WATER, place - index);
}

/** Long thin bands, a little denser towards the sun. */
function cloudAt(x: number, y: number): number {
  const band = Math.sin(y * 0.16 + Math.sin(x * 0.011) * 1.8) * Math.sin(x * 0.006 + y * 0.02 + 1.3);
  return Math.max(0, band - 0.35) * 0.7 * Math.min(1, y / 120);
}

function farHills(x: number): number {
  return 26 + 14 * Math.sin(x * 0.011 + 0.6) + 7 * Math.sin(x * 0.031) + 2 * Math.sin(x * 0.09);
}

function nearHills(x: number): number {
  return (
    Math.max(0, 62 - x * 0.27 + 6 * Math.sin(x * 0.05)) +
    Math.max(0, (x - 520) * 0.3 + 4 * Math.sin(x * 0.07))
  );
}

/** Hull, mast and two sails; the hull stands in the water. */
function isBoat(x: number, y: number): boolean {
  const [left, top] = [196, 138];
  const dx = x - left;
  const dy = y - top;
  const hull = dy >= 92 && dy <= 106 && dx > -38 + (dy - 92) * 1.1 && dx < 54 - (dy - 92) * 1.6;
  const mast = Math.abs(dx) <= 1 && dy >= 0 && dy <= 92;
  const mainSail = dy >= 6 && dy <= 86 && dx > 3 && dx < 3 + (dy - 6) * 0.55;
  const foreSail = dy >= 14 && dy <= 86 && dx < -3 && dx > -3 - (dy - 14) * 0.42;
  return hull || mast || mainSail || foreSail;
}

function scatterStars(): ReadonlyMap<number, number> {
  const random = createRandom(1889);
  const stars = new Map<number, number>();
  for (let count = 0; count < 150; count++) {
    const [x, y] = [Math.floor(random() * WIDTH), Math.floor(random() ** 2 * 110)];
    stars.set(y * WIDTH + x, (0.25 + random() * 0.7) * (1 - y / 120));
  }
  return stars;
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const part = Math.max(0, Math.min(1, share));
  return [
    from[0] + (to[0] - from[0]) * part,
    from[1] + (to[1] - from[1]) * part,
    from[2] + (to[2] - from[2]) * part,
  ];
}
