import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT: string = join(import.meta.dirname, '..');

/** What is committed: small, and each reaches something that none before it does. */
const CORPUS_FOLDER: string = join(ROOT, 'corpus');
/** Inputs that failed; not committed as such, but as a test where the bug was. */
const FAILURES_FOLDER: string = join(ROOT, 'failures');
const MAX_KEPT_SIZE_BYTES = 4096;

export function readCorpus(target: string): readonly Uint8Array[] {
  const folder = join(CORPUS_FOLDER, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

export function keepInput(target: string, input: Uint8Array): void {
  if (input.length > MAX_KEPT_SIZE_BYTES) return;
  const folder = join(CORPUS_FOLDER, target);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, nameOf(input)), input);
}

/** The path of what was stored. */
export function storeFailure(target: string, input: Uint8Array): string {
  mkdirSync(FAILURES_FOLDER, { recursive: true });
  const path = join(FAILURES_FOLDER, `${target}-${nameOf(input)}`);
  writeFileSync(path, input);
  return path;
}

function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
