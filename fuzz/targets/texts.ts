import { parseDate } from '../../packages/cli/src/input/parse-date.ts';
import { parseDuration } from '../../packages/cli/src/input/parse-duration.ts';
import { parsePercent } from '../../packages/cli/src/input/parse-percent.ts';
import { parseRange } from '../../packages/cli/src/input/parse-range.ts';
import { parseSize } from '../../packages/cli/src/input/parse-size.ts';
import { escapeName, escapeText } from '../../packages/cli/src/output/escape.ts';
import { parseFileName, parseFolder } from '../../packages/storage/src/index.ts';
import { parseRelativePath } from '../../packages/transfer-models/src/index.ts';
import { toLocalName } from '../../packages/vault/src/files/local-path.ts';
import { toVaultName } from '../../packages/vault/src/import/discordopus/source-name.ts';
import {
  parseSourceKey,
  parseSourcePassphrase,
} from '../../packages/vault/src/import/discordopus/source-keys.ts';
import { parseSourceTime } from '../../packages/vault/src/import/discordopus/source-time.ts';
import { isLabel, parseLabel } from '../../packages/vault/src/slots/label.ts';
import { must, refusable } from './target.ts';
import type { Target } from './target.ts';

const NOW_MS = 1_764_000_000_000;

/** Sizes, ranges, dates, durations and shares of the command line. */
export const options: Target = {
  name: 'options',
  covers: ['cli/src/input/parse-'],
  seeds: () =>
    [
      '1500',
      '1.5GB',
      '2GiB',
      '0-99',
      '100-',
      '-100',
      '2025-03-31',
      '2025-03-31T14:00Z',
      'today',
      '7d',
      '30min',
      '5%',
      '0.5%',
      '8h',
      '1h30m',
    ].map(toBytes),
  maxSizeBytes: 64,
  dictionary: [
    'kB',
    'GiB',
    'TB',
    'min',
    'h',
    'd',
    'w',
    '%',
    '-',
    'T',
    'Z',
    '+02:00',
    '999999999999999',
    '.',
    '000000',
  ],
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const size = refusable(['USAGE'], () => parseSize(text));
    must(size === undefined || (Number.isFinite(size) && size >= 0), 'a size is a number of bytes');
    const percent = refusable(['USAGE'], () => parsePercent(text));
    must(percent === undefined || (percent > 0 && percent <= 100), 'a share is more than 0 and at most 100');
    const date = refusable(['USAGE'], () => parseDate(text, NOW_MS));
    must(date === undefined || Number.isSafeInteger(date), 'a date is a number of milliseconds');
    const duration = refusable(['USAGE'], () => parseDuration(text));
    must(
      duration === undefined || (Number.isFinite(duration) && duration >= 0),
      'a duration is not negative',
    );
    const rangeOf = refusable(['USAGE'], () => parseRange(text));
    if (rangeOf === undefined) return;
    const { start, end } = rangeOf(1_000);
    must(Number.isSafeInteger(start) && start >= 0, 'a range begins at a byte');
    must(end === undefined || end > start, 'a range ends behind its beginning');
  },
};

const CONTROL = /\p{Cc}/u;

/** Names from disk, from an import and from peers, and what is made of them. */
export const names: Target = {
  name: 'names',
  covers: [
    'storage/src/names.ts',
    'transfer-models/src/relative-path.ts',
    'cli/src/output/escape.ts',
    'vault/src/files/local-path.ts',
    'vault/src/import/discordopus/source-name.ts',
    'vault/src/slots/label.ts',
  ],
  seeds: () =>
    [
      'a.txt',
      'folder/name',
      '../x',
      'C:\\x',
      'con.txt',
      "$'x'",
      'a\u202eb',
      '\u001b[2J',
      'e\u0301',
      '.',
      'x'.repeat(300),
      'a/b/c/../d',
      'x:y',
      'x. ',
    ].map(toBytes),
  maxSizeBytes: 5_000,
  dictionary: [
    '/',
    '\\',
    '..',
    '.',
    '\0',
    '\u001b[',
    '\u202e',
    '\u2028',
    '\ud800',
    ':',
    'aux',
    'nul.',
    ' ',
    '~',
    '\u0308',
    "$'",
    "'",
    '\u200d',
    '\ufeff',
  ],
  run(input) {
    const text = Buffer.from(input).toString(input.length % 2 === 0 ? 'utf8' : 'utf16le');
    must(!CONTROL.test(escapeName(text)), 'what is shown has no control characters');
    must(!CONTROL.test(escapeText(text)), 'what is quoted has no control characters');
    const name = refusable(['INVALID'], () => parseFileName(text));
    if (name !== undefined) {
      must(
        !name.includes('/') && name !== '.' && name !== '..' && !name.includes('\0'),
        'a name is one part of a path',
      );
      must(parseFileName(name) === name, 'a name is in its own form');
    }
    const folder = refusable(['INVALID'], () => parseFolder(text));
    must(folder === undefined || parseFolder(folder) === folder, 'a folder is in its own form');
    for (const platform of ['linux', 'win32'] as const) {
      const local = refusable(['INVALID_INPUT'], () => toLocalName(text, platform));
      must(
        local === undefined || (local !== '' && !local.includes('/') && local !== '..'),
        'a local name leads nowhere',
      );
      must(platform === 'linux' || local?.includes('\\') !== true, 'nor on Windows');
    }
    const relative = refusable(['INVALID', 'TOO_LARGE'], () => parseRelativePath(text));
    must(relative?.split('/').includes('..') !== true, 'a relative path does not go up');
    const imported = toVaultName(text, 'file');
    must(parseFileName(imported) === imported, 'the name of an import can be stored');
    const label = refusable(['INVALID_INPUT'], () => parseLabel(text));
    must(label === undefined || isLabel(label), 'a label that was taken is one');
  },
};

/** Keys, passphrases and times of a vault of the original application. */
export const imports: Target = {
  name: 'imports',
  covers: ['vault/src/import/discordopus/source-'],
  seeds: () =>
    [
      'a'.repeat(64),
      `x'${'0'.repeat(64)}'\n`,
      `${'A'.repeat(43)}=`,
      '2023-11-14 22:13:20.25+02:00',
      '1700000000.5',
      'secret\r\n',
    ].map(toBytes),
  maxSizeBytes: 200,
  dictionary: ["x'", '=', '\r\n', 'T', 'Z', '+0000', '1e400', '-', ' ', '\0'],
  run(input) {
    const key = refusable(['INVALID_INPUT'], () => parseSourceKey(input, 'it'));
    must(key === undefined || key.length === 32, 'a key has 32 bytes');
    const passphrase = refusable(['INVALID_INPUT'], () => parseSourcePassphrase(input));
    must(passphrase === undefined || passphrase.length > 0, 'a passphrase is not empty');
    const text = Buffer.from(input).toString('utf8');
    const time = parseSourceTime({ type: 'text', value: text, sizeBytes: input.length });
    must(
      time === undefined || (Number.isSafeInteger(time) && time >= 0),
      'a time is a number of milliseconds',
    );
  },
};

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
