/** A word as a POSIX shell takes it: as it is when nothing in it means something, else in single quotes. */
export function quoteForShell(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word) && !word.startsWith('-')) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
