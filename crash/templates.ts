import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyfile } from '../packages/vault/src/index.ts';
import { contentOf, writeContents } from './contents.ts';
import { TREE } from './operations/file-operations.ts';
import { makeFilledVault } from './operations/filled-vault.ts';
import { operationOf } from './operations/table.ts';
import { Stage } from './stage.ts';

/** Stages as operations find them, each made once and copied for every run. */
export class Templates {
  readonly #folder: string;
  readonly #filled: Stage;
  readonly #ready = new Map<string, Promise<Stage>>();
  #copies = 0;

  private constructor(folder: string, filled: Stage) {
    this.#folder = folder;
    this.#filled = filled;
  }

  static async make(folder: string): Promise<Templates> {
    const shelf = join(folder, 'shelf');
    writeContents(shelf);
    mkdirSync(join(shelf, 'tree'));
    for (const [name, content] of Object.entries(TREE))
      writeFileSync(join(shelf, 'tree', name), contentOf(content));
    mkdirSync(join(shelf, 'keys'));
    const filled = new Stage(join(folder, 'filled'), shelf);
    filled.makeFolders();
    for (const name of ['owner', 'second'] as const) await createKeyfile(filled.keyfile(name));
    await makeFilledVault(filled);
    return new Templates(folder, filled);
  }

  /** The stage that an operation begins on. Not to be changed: `copyOf` gives one that can be. */
  async of(operation: string): Promise<Stage> {
    const known = this.#ready.get(operation) ?? this.#prepare(operation);
    this.#ready.set(operation, known);
    return await known;
  }

  async copyOf(operation: string): Promise<Stage> {
    return this.copy(await this.of(operation));
  }

  copy(stage: Stage): Stage {
    const copy = new Stage(join(this.#folder, `run-${String(++this.#copies)}`), this.#filled.shelf);
    copyDisk(stage, copy);
    return copy;
  }

  async #prepare(operation: string): Promise<Stage> {
    const stage = new Stage(join(this.#folder, `template-${operation}`), this.#filled.shelf);
    copyDisk(this.#filled, stage);
    await operationOf(operation).prepare?.(stage);
    return stage;
  }
}

/** `fs.constants.COPYFILE_FICLONE`: a reflink where the file system has them. */
const COPY_ON_WRITE = 2;

/** Copies everything on a disk, with its modes. */
export function copyDisk(from: Stage, to: Stage): void {
  cpSync(from.disk, to.disk, { recursive: true, mode: COPY_ON_WRITE });
  // cpSync keeps the modes of files, not those of folders.
  for (const entry of readdirSync(to.disk, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o700);
}
