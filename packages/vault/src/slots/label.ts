import { VaultError } from '../errors.ts';

const MAX_LABEL_CHARACTERS = 64;

// Controls, lone surrogates, line and paragraph separators, and what reorders text: a label is shown on a terminal.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Whether text can be the label of a slot: 1 to 64 code points, one line, nothing that reorders what is shown. */
export function isLabel(text: string): boolean {
  // A code point takes at most two units, so that what is too long is never spread into an array.
  if (text.length === 0 || text.length > 2 * MAX_LABEL_CHARACTERS) return false;
  return Array.from(text).length <= MAX_LABEL_CHARACTERS && !FORBIDDEN.test(text);
}

/**
 * The label for what a person gave: trimmed, NFC.
 *
 * @throws VaultError INVALID_INPUT
 */
export function parseLabel(text: string): string {
  const label = text.trim().normalize('NFC');
  if (isLabel(label)) return label;
  throw new VaultError('INVALID_INPUT', 'this cannot be the label of a key slot', {
    hint: `a label is one line of 1 to ${String(MAX_LABEL_CHARACTERS)} characters, without control characters`,
  });
}
