/**
 * The form in which names and tags are compared without regard to case: NFC, lower, then upper case. Upper case last,
 * because it does not depend on the neighbours of a letter (a Greek sigma at the end of a word has its own lower case).
 */
export function foldText(text: string): string {
  return text.normalize('NFC').toLowerCase().toUpperCase();
}
