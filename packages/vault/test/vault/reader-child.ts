// Opens a vault with a key file, as another user if one is given, says what it holds, or why it does not open, and keeps it open until it is killed.
import { writeSync } from 'node:fs';
import { VaultError, openVault } from '../../src/index.ts';

const [directory = '', path = '', user] = process.argv.slice(2);
if (user !== undefined) {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
try {
  const vault = await openVault({ directory, secret: { kind: 'keyfile', path } });
  const { files, readOnly } = vault.status();
  for await (const event of vault.check())
    if (event.type === 'finding' && event.finding.code !== 'LOOSE_MODE')
      throw new Error(event.finding.message);
  writeSync(1, `${String(files)} files${readOnly === 'rights' ? ', not to be written' : ''}\n`);
  setInterval(() => vault, 60_000);
} catch (error) {
  writeSync(1, `${error instanceof VaultError ? error.code : String(error)}\n`);
}
