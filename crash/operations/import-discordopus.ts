import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FernetKey, encryptFernet } from '../../packages/crypto/src/index.ts';
import { openKeyedConnection } from '../../packages/database/src/keyed-connection.ts';
import { MARKER, contentOf } from '../contents.ts';
import type { ContentName } from '../contents.ts';
import type { Stage } from '../stage.ts';
import { everyEvent } from './filled-vault.ts';
import type { Operation } from './operation.ts';

const IN_ROWS: readonly ContentName[] = ['small', 'blob'];
const AS_TOKENS: readonly ContentName[] = ['sealed'];

const sourceOf = (stage: Stage): string => join(stage.disk, 'original');
const nameOf = (content: ContentName): string => `${MARKER} original ${content}`;

const databaseKey = (): Uint8Array => new Uint8Array(32).fill(3);
const fernetKey = (): Uint8Array => new Uint8Array(32).fill(4);

/** A vault as the original Python application has it: two files in its database, one beside it. */
function makeOriginal(stage: Stage): Promise<void> {
  const folder = sourceOf(stage);
  mkdirSync(join(folder, 'files'), { recursive: true });
  const path = join(folder, 'data.db');
  closeSync(openSync(path, 'wx', 0o600));
  const connection = openKeyedConnection(path, databaseKey());
  connection.exec(
    'CREATE TABLE files (id TEXT, filename TEXT, size INTEGER, hash TEXT, data BLOB, file_path TEXT, mime_type TEXT, created_at TEXT)',
  );
  using key = FernetKey.fromBytes(fernetKey());
  for (const name of [...IN_ROWS, ...AS_TOKENS]) {
    const content = contentOf(name);
    const isToken = AS_TOKENS.includes(name);
    if (isToken) writeFileSync(join(folder, 'files', `${name}.enc`), encryptFernet(key, content));
    const hash = createHash('sha256').update(content).digest('hex');
    connection.run(
      'INSERT INTO files (id, filename, size, hash, data, file_path) VALUES (?, ?, ?, ?, ?, ?)',
      ...[name, nameOf(name), content.length, hash],
      ...(isToken ? [null, `files/${name}.enc`] : [content, null]),
    );
  }
  connection.close();
  return Promise.resolve();
}

export const importOriginal: Operation = {
  prepare: makeOriginal,
  changes: Object.fromEntries(
    [...IN_ROWS, ...AS_TOKENS].map((content) => [
      nameOf(content),
      { adds: { [`imported/${nameOf(content)}`]: content } },
    ]),
  ),
  run: async (vault, stage, say) => {
    const options = { databaseKey: databaseKey(), fernetKey: fernetKey(), folder: 'imported' };
    await everyEvent(vault.importDiscordopus(sourceOf(stage), options), (event) => {
      if (event.type === 'added') say(event.file.name);
    });
  },
};
