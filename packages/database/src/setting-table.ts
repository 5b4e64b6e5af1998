import { checkText, parseColumns, textOf } from './columns.ts';
import type { Connection } from './connection.ts';
import { invalid } from './errors.ts';

/** Texts by name, kept with the data they are about. */
export class SettingTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get(key: string): string | undefined {
    const row = this.#connection.get('SELECT value FROM settings WHERE key = ?', key);
    return row === undefined ? undefined : textOf(parseColumns(row)['value'], 'settings.value');
  }

  set(key: string, value: string): void {
    if (key === '') throw invalid('a setting needs a name');
    const sql =
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
    this.#connection.run(sql, checkText(key, 'the setting'), checkText(value, 'the value of the setting'));
  }

  /** `false` when there was none. */
  remove(key: string): boolean {
    return this.#connection.run('DELETE FROM settings WHERE key = ?', key) > 0;
  }

  all(): Map<string, string> {
    const rows = this.#connection.all('SELECT key, value FROM settings ORDER BY key').map(parseColumns);
    return new Map(
      rows.map((row) => [textOf(row['key'], 'settings.key'), textOf(row['value'], 'settings.value')]),
    );
  }
}
