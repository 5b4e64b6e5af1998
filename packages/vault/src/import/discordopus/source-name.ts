const MAX_NAME_SIZE_BYTES = 255;
const MAX_EXTENSION_LENGTH = 16;

/**
 * The name that a file of the source gets: the last part of what it was called, for a name that is a path is a mistake or an attack; shortened to what
 * file systems take, with its extension; `fallback` when nothing is left.
 */
export function toVaultName(filename: string | undefined, fallback: string): string {
  const whole = (filename ?? '').replaceAll('\0', '').toWellFormed().normalize('NFC');
  const last = whole.split(/[\\/]/).findLast((part) => part !== '') ?? '';
  const name = last === '' || last === '.' || last === '..' ? fallback.replaceAll(/[\\/\0]/g, '_') : last;
  return shortened(name);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_SIZE_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION_LENGTH ? name.slice(dot) : '';
  const room = MAX_NAME_SIZE_BYTES - Buffer.byteLength(extension);
  let stem = '';
  let sizeBytes = 0;
  for (const character of name) {
    sizeBytes += Buffer.byteLength(character);
    if (sizeBytes > room) break;
    stem += character;
  }
  return stem + extension;
}
