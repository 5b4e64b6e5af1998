/* Has a vault open that opens with a key file, as a command does that finds no agent: nobody can talk to it. */
import { openVault } from '@coffer/vault';
import { writeSync } from 'node:fs';
import process from 'node:process';

const [directory = '', keyfile = ''] = process.argv.slice(2);
const vault = await openVault({ directory, secret: { kind: 'keyfile', path: keyfile } });
writeSync(1, 'ready\n');
setInterval(() => vault.directory, 60_000);
