import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { FolderSnapshot } from './folder-snapshot.ts';
import type { SampleVault } from './sample-vault.ts';

/** A backup of a sample vault, that can be damaged and put back as it was, and a place to restore it to. */
export class SampleBackup implements Disposable {
  readonly root: string;
  readonly directory: string;
  readonly restored: string;
  readonly snapshot: FolderSnapshot;

  private constructor(root: string) {
    this.root = root;
    this.directory = join(root, 'backup');
    this.restored = join(root, 'restored vault');
    this.snapshot = new FolderSnapshot(this.directory);
  }

  static async make(sample: SampleVault): Promise<SampleBackup> {
    {
      await using vault = await sample.open();
      for await (const event of vault.backup(join(sample.root, 'backup'))) {
        if (event.type !== 'copied' && event.type !== 'summary') throw new Error(event.type);
      }
    }
    sample.snapshot.restore();
    return new SampleBackup(sample.root);
  }

  /** As it was, and nothing restored. */
  restore(): void {
    this.snapshot.restore();
    rmSync(this.restored, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    for (const path of [this.directory, this.restored]) rmSync(path, { recursive: true, force: true });
  }
}
