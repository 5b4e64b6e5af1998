// Changes a vault and backs it up, again and again, or restores a backup, until it is killed. Says what each backup is to have, and when it is done.
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openVault, restoreVault } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';

const [what = '', directory = '', path = '', backup = ''] = process.argv.slice(2);
const secret = { kind: 'keyfile', path } as const;

function say(line: string): void {
  // Synchronous, so that what was said has left this process.
  writeSync(1, `${line}\n`);
}

const SIZES = [10, 150_000, 400_000];

async function change(vault: Vault, turn: number): Promise<void> {
  const content = randomBytes(SIZES[turn % SIZES.length] ?? 0);
  const name = randomBytes(8).toString('hex');
  await vault.addStream(Readable.from([content]), { name, folder: 'files' });
  const { files } = vault.list({ recursive: true, folder: '', sort: 'created' });
  if (turn % 2 === 0 && files[0] !== undefined) vault.move(files[0].id, `moved/${files[0].name}`);
  if (files.length <= 5) return;
  for await (const event of vault.removePaths(files.slice(0, 2).map(({ id }) => id))) {
    if (event.type === 'failed') throw event.error;
  }
}

if (what === 'restore') {
  say('begin');
  for await (const event of restoreVault({ source: backup, directory, secret })) {
    if (event.type === 'finding') say(event.finding.message);
  }
  say('done');
} else {
  await using vault = await openVault({ directory, secret });
  for (let turn = 0; ; turn++) {
    await change(vault, turn);
    const { files } = vault.list({ recursive: true, folder: '' });
    say(`begin ${files.map((file) => `${file.path}=${file.sha256}`).join(' ')}`);
    for await (const event of vault.backup(backup)) if (event.type === 'failed') throw event.error;
    say('done');
  }
}
