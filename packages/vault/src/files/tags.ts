import { VaultError } from '../errors.ts';

const MAX_TAG_SIZE_BYTES = 128;
const MAX_TAGS = 64;

const utf8 = new TextEncoder();

/** Tags of a file: short texts in NFC, without control characters or white space at the ends, each once. */
export function parseTags(values: readonly string[]): readonly string[] {
  if (values.length > MAX_TAGS) throw invalid(`at most ${String(MAX_TAGS)} tags can be given`);
  return [...new Set(values.map(parseTag))];
}

function parseTag(value: string): string {
  const tag = value.normalize('NFC').trim();
  if (tag === '') throw invalid('a tag is not empty');
  if (!tag.isWellFormed() || /\p{Cc}/u.test(tag))
    throw invalid(`the tag ${JSON.stringify(value)} has control characters`);
  if (utf8.encode(tag).length > MAX_TAG_SIZE_BYTES) {
    throw invalid(`a tag has at most ${String(MAX_TAG_SIZE_BYTES)} bytes`);
  }
  return tag;
}

function invalid(message: string): VaultError {
  return new VaultError('INVALID_INPUT', message);
}
