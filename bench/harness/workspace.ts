import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the system's temporary one that goes with everything in it. */
export class Workspace implements Disposable {
  readonly path: string;
  #count = 0;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'coffer-bench-'));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** A new empty folder. */
  folder(name: string): string {
    this.#count += 1;
    const path = join(this.path, `${name}-${String(this.#count)}`);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Throws when the disk has not as much room. */
  requireSpace(sizeBytes: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    if (bavail * bsize < sizeBytes) {
      throw new Error(
        `${tmpdir()} needs ${String(Math.ceil(sizeBytes / 1e9))} GB of room (TMPDIR chooses another folder)`,
      );
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
