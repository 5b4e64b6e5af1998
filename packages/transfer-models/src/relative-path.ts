import { TransferModelError } from './errors.ts';
import { MAX_PATH_DEPTH, MAX_PATH_SIZE_BYTES } from './limits.ts';

declare const relativePathBrand: unique symbol;

/** Names joined by `/`, in NFC: a path that names one place under any folder, on any operating system, and looks like what it is. */
export type RelativePath = string & { readonly [relativePathBrand]: true };

/** C0 and C1 controls, DEL, and the two separators that end a line. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Unicode's Bidi_Control: they make a name read otherwise than it is. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Device names are devices in every folder of Windows, in any case and whatever follows a dot, a colon or spaces:
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:[.:]|$)/iu;

/**
 * A path as a peer may name a file. Throws `TOO_LARGE` (over 1,024 bytes of UTF-8, or 32 names) and `INVALID`: empty parts, `.`
 * and `..`, absolute paths, backslashes, drive letters, control and bidirectional characters, device names of Windows, names of
 * nothing but dots and spaces, what is not well-formed Unicode in NFC. The message never repeats the path.
 */
export function parseRelativePath(value: unknown): RelativePath {
  if (typeof value !== 'string') throw invalid('must be a text');
  // A code unit of UTF-16 is at least one byte of UTF-8: what is too long is never looked at.
  if (value.length > MAX_PATH_SIZE_BYTES) throw tooLong();
  if (value === '') throw invalid('must not be empty');
  if (!value.isWellFormed()) throw invalid('is not well-formed Unicode');
  if (utf8SizeBytes(value) > MAX_PATH_SIZE_BYTES) throw tooLong();
  if (value.normalize('NFC') !== value) throw invalid('is not in Unicode normalization form C');
  if (CONTROL.test(value)) throw invalid('has a control character');
  if (BIDI.test(value)) throw invalid('has a character that changes the direction of text');
  if (value.includes('\\')) throw invalid('has a backslash');
  if (value.startsWith('/')) throw invalid('is absolute');
  const names = value.split('/');
  if (names.length > MAX_PATH_DEPTH) {
    throw new TransferModelError('TOO_LARGE', `the path is more than ${String(MAX_PATH_DEPTH)} names deep`);
  }
  for (const name of names) checkName(name);
  return value as RelativePath;
}

function checkName(name: string): void {
  if (name === '') throw invalid('has an empty part');
  if (name === '.' || name === '..') throw invalid(`has the part ${name}`);
  // Windows drops dots and spaces at the end of a name: `.. ` would be `..` there.
  if (/^[. ]+$/.test(name)) throw invalid('has a part of nothing but dots and spaces');
  // Of any part, for a part may be restored without those before it.
  if (/^[a-z]:/i.test(name)) throw invalid('has a drive letter');
  if (RESERVED.test(name)) throw invalid('has a name that is a device on Windows');
}

/**
 * Two of these paths that one file system or another cannot hold together: equal but for case or accents' composition, or one of them
 * a folder of the other. `undefined` when all can stand side by side. Time and memory grow with the length of all paths.
 */
export function findPathCollision(
  paths: Iterable<RelativePath>,
): readonly [RelativePath, RelativePath] | undefined {
  const files = new Map<string, RelativePath>();
  const folders = new Map<string, RelativePath>();
  for (const path of paths) {
    const key = collisionKey(path);
    const other = files.get(key) ?? folders.get(key);
    if (other !== undefined) return [other, path];
    files.set(key, path);
    for (let end = key.indexOf('/'); end !== -1; end = key.indexOf('/', end + 1)) {
      const folder = key.slice(0, end);
      const file = files.get(folder);
      if (file !== undefined) return [file, path];
      folders.set(folder, path);
    }
  }
  return undefined;
}

/** Upper case first: it makes `SS` of `ß` and one sigma of three, which lower case alone keeps apart. */
function collisionKey(path: RelativePath): string {
  return path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}

/** By hand, for a text without lone surrogates: neither ECMAScript nor every runtime of ours has an encoder. */
function utf8SizeBytes(text: string): number {
  let sizeBytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair counts 2 of its 4 bytes.
    if (unit < 0x80) sizeBytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) sizeBytes += 2;
    else sizeBytes += 3;
  }
  return sizeBytes;
}

function invalid(problem: string): TransferModelError {
  return new TransferModelError('INVALID', `the path ${problem}`);
}

function tooLong(): TransferModelError {
  return new TransferModelError('TOO_LARGE', `the path is longer than ${String(MAX_PATH_SIZE_BYTES)} bytes`);
}
