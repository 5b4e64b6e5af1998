import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Every file of a closed vault's folder, to be put back after a case. */
export class FolderSnapshot {
  readonly #folder: string;
  readonly #files = new Map<string, Buffer>();

  constructor(folder: string) {
    this.#folder = folder;
    for (const path of filesBelow(folder)) this.#files.set(relative(folder, path), readFileSync(path));
  }

  get names(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  bytes(name: string): Buffer {
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw new Error(`the sample vault has no ${name}`);
    return bytes;
  }

  /** Makes the folder what it was: with the same files, links, modes, and nothing else. */
  restore(): void {
    for (const path of entriesBelow(this.#folder)) {
      const isOurs = this.#files.has(relative(this.#folder, path)) && lstatSync(path).isFile();
      const isFolder = lstatSync(path).isDirectory() && this.#holdsFiles(relative(this.#folder, path));
      if (!isOurs && !isFolder) rmSync(path, { recursive: true, force: true });
    }
    for (const [name, bytes] of this.#files) {
      const path = join(this.#folder, name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, bytes);
      chmodSync(path, 0o600);
    }
  }

  #holdsFiles(folder: string): boolean {
    return [...this.#files.keys()].some((name) => name.startsWith(`${folder}/`));
  }
}

/** Files, links and whatever else is not a folder. */
function filesBelow(folder: string): string[] {
  return entriesBelow(folder).filter((path) => lstatSync(path).isFile());
}

/** Deepest first, without what is in a folder that is a link. */
function entriesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return lstatSync(path).isDirectory() ? [...entriesBelow(path), path] : [path];
  });
}
