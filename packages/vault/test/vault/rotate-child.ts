// Rotates the root key of a vault once, or goes on with a rotation, and saves files meanwhile, until it is done or killed. Says what it has come to,
// one line each, and what was saved once that is acknowledged.
import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openVault } from '../../src/index.ts';
import { stream } from './content.ts';

const [directory = '', path = '', code = '', reseal = ''] = process.argv.slice(2);
const secret = { kind: 'keyfile', path } as const;

function say(line: string): void {
  // Synchronous, so that what was acknowledged has left this process.
  writeSync(1, `${line}\n`);
}

await using vault = await openVault({ directory, secret });
say('open');
const options = {
  reseal: reseal === 'reseal',
  onProgress: ({ filesDone }: { filesDone: number }) => {
    say(`progress ${String(filesDone)}`);
  },
};
const slots = vault.slots();
const idOf = (kind: string): string => slots.find((slot) => slot.kind === kind)?.id ?? '';
const events =
  vault.status().rotation === 'none'
    ? vault.rotate({
        ...options,
        keep: [
          { slotId: idOf('keyfile'), secret },
          { slotId: idOf('recovery'), secret: { kind: 'recovery', code: new TextEncoder().encode(code) } },
        ],
      })
    : vault.resumeRotation(options);
await Promise.all([rotate(), save()]);

async function rotate(): Promise<void> {
  for await (const event of events) say(event.type);
}

async function save(): Promise<void> {
  for (const size of [500, 120_000]) {
    const content = randomBytes(size);
    const hash = createHash('sha256').update(content).digest('hex');
    const name = `saved-${hash.slice(0, 12)}`;
    const event = await vault.addStream(stream(content), { name });
    if (event.type === 'added') say(`saved ${name} ${hash}`);
  }
}
