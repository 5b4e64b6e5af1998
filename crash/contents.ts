import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Stands in every content and every name, many times over: where it is found on a disk, plaintext is. */
export const MARKER = 'Coffer-Crash-Plaintext';

/** The contents that operations work with, by name: their sizes in bytes. */
const SIZES = {
  small: 3_000,
  blob: 90_000,
  sealed: 300_000,
  other: 140_000,
  /** Sealed on the threads of the pool. */
  large: 17 * 1024 * 1024,
} as const;

export type ContentName = keyof typeof SIZES;

const made = new Map<ContentName, Buffer>();

/** The same bytes each time: numbered lines, none of them without the marker. Not to be changed. */
export function contentOf(name: ContentName): Buffer {
  const content = made.get(name) ?? makeContent(name);
  made.set(name, content);
  return content;
}

function makeContent(name: ContentName): Buffer {
  const lines: string[] = [];
  for (let size = 0, line = 0; size < SIZES[name]; line++) {
    const text = `${MARKER} ${name} ${String(line)}\n`;
    lines.push(text);
    size += text.length;
  }
  return Buffer.from(lines.join('').slice(0, SIZES[name]));
}

/** Writes every content to a file of its name in `folder`. */
export function writeContents(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(SIZES) as ContentName[]) writeFileSync(join(folder, name), contentOf(name));
}
