import { drawHarbour } from './draw-harbour.ts';
import { randomBytesOf } from './random.ts';
import { ringBells } from './ring-bells.ts';
import { ABOUT, DASH, LETTER, NAMES } from './texts.ts';
import { writeLogbook } from './write-logbook.ts';

/** Files of this size and more are sealed on disk; smaller ones are in the database. */
const THRESHOLD_BYTES = 102_400;

/** The files of `examples/` by path. The same bytes every time. */
export function makeExamples(): ReadonlyMap<string, Uint8Array> {
  const utf8 = new TextEncoder();
  return new Map<string, Uint8Array>([
    ['about these files.txt', utf8.encode(ABOUT)],
    ['nothing.txt', new Uint8Array(0)],
    ['one byte.bin', Uint8Array.of(0x2a)],
    ['just below the threshold.bin', randomBytesOf(99, THRESHOLD_BYTES - 1)],
    ['just at the threshold.bin', randomBytesOf(100, THRESHOLD_BYTES)],
    ['-named like an option.txt', utf8.encode(DASH)],
    ['🗝️ names are text, too ☂.md', utf8.encode(NAMES)],
    ['letters/to whoever finds this.txt', utf8.encode(LETTER)],
    ['pictures/harbour at dusk.png', drawHarbour()],
    ['sounds/four bells.wav', ringBells()],
    ['tables/lighthouses.json', utf8.encode(listLighthouses())],
    ['tables/tides.csv', utf8.encode(tabulateTides())],
    ['tables/logbook of the Halcyon.txt', writeLogbook()],
  ]);
}

function listLighthouses(): string {
  const lighthouses = [
    {
      name: 'Northern Skerry',
      heightMetres: 31,
      character: 'Fl(2) W 10s',
      keeper: 'Ása Þórsdóttir',
      lit: true,
    },
    { name: 'Old Mole', heightMetres: 12, character: 'Iso G 4s', keeper: null, lit: true },
    { name: 'Cabo Sereno', heightMetres: 48, character: 'Oc W 6s', keeper: 'Inês Falcão', lit: true },
    { name: '灯台 Kazahaya', heightMetres: 22, character: 'Fl R 3s', keeper: '早川 澪', lit: false },
  ];
  return `${JSON.stringify({ about: 'Lighthouses that are on no chart', lighthouses }, undefined, 2)}\n`;
}

/** Heights at a harbour that does not exist, every half hour of 28 days: the moon's half day and the sun's. */
function tabulateTides(): string {
  const lines = ['hour,height_m,state'];
  let last = tideAt(-0.5);
  for (let step = 0; step < 28 * 48; step++) {
    const height = tideAt(step / 2);
    lines.push(`${(step / 2).toFixed(1)},${height.toFixed(2)},${height > last ? 'rising' : 'falling'}`);
    last = height;
  }
  return `${lines.join('\n')}\n`;
}

function tideAt(hour: number): number {
  return (
    3.1 + 1.6 * Math.cos((2 * Math.PI * hour) / 12.4206) + 0.5 * Math.cos((2 * Math.PI * (hour - 2)) / 12)
  );
}
