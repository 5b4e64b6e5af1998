import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, dirname, join, relative } from 'node:path';

/** A file or a folder, by a number, as an inode is: names come and go, and several may stand for the same one. */
export type NodeId = number;

export const ROOT: NodeId = 0;

/** The names in each folder, and the bytes of each file. */
export class DiskTree {
  readonly folders: Map<NodeId, Map<string, NodeId>>;
  readonly files: Map<NodeId, Buffer>;

  constructor(
    folders = new Map<NodeId, Map<string, NodeId>>([[ROOT, new Map<string, NodeId>()]]),
    files: Map<NodeId, Buffer> = new Map<NodeId, Buffer>(),
  ) {
    this.folders = folders;
    this.files = files;
  }

  /** What is below a real folder. */
  static read(root: string): DiskTree {
    const tree = new DiskTree();
    const byInode = new Map<number, NodeId>();
    let next = ROOT;
    const readFolder = (path: string, names: Map<string, NodeId>): void => {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const { ino } = lstatSync(join(path, entry.name));
        const id = byInode.get(ino) ?? ++next;
        byInode.set(ino, id);
        names.set(entry.name, id);
        if (!entry.isDirectory()) {
          tree.files.set(id, readFileSync(join(path, entry.name)));
          continue;
        }
        const below = new Map<string, NodeId>();
        tree.folders.set(id, below);
        readFolder(join(path, entry.name), below);
      }
    };
    readFolder(root, tree.folder(ROOT));
    return tree;
  }

  /** A tree that can be changed without changing this one; bytes are shared, and replaced as a whole when they change. */
  copy(): DiskTree {
    return new DiskTree(
      new Map([...this.folders].map(([id, names]) => [id, new Map(names)])),
      new Map(this.files),
    );
  }

  folder(id: NodeId): Map<string, NodeId> {
    const names = this.folders.get(id);
    if (names === undefined) throw new Error(`${String(id)} is not a folder`);
    return names;
  }

  /** The folder that a path is in, and its name there. `path` is relative to the root; `''` is none. */
  placeOf(path: string): { readonly folder: NodeId; readonly name: string } {
    const folder = this.find(dirname(path) === '.' ? '' : dirname(path));
    if (folder === undefined) throw new Error(`there is no folder for ${path}`);
    return { folder, name: basename(path) };
  }

  find(path: string): NodeId | undefined {
    let id: NodeId | undefined = ROOT;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (id === undefined) return undefined;
      id = this.folders.get(id)?.get(name);
    }
    return id;
  }

  /** Writes it below an empty real folder, for its owner only, as a vault is. Several names of one file are that on the real disk too. */
  write(root: string): void {
    const written = new Map<NodeId, string>();
    this.#walk((path, bytes, id) => {
      const target = join(root, path);
      const first = written.get(id);
      if (bytes === undefined) mkdirSync(target, { mode: 0o700 });
      else if (first !== undefined) linkSync(first, target);
      else writeFileSync(target, bytes, { mode: 0o600 });
      written.set(id, target);
    });
    chmodSync(root, 0o700);
  }

  /** The same for trees with the same names and bytes, whatever numbers they have for them. */
  digest(digestOf: (bytes: Buffer) => string = sha256): string {
    const lines: string[] = [];
    this.#walk((path, bytes) => lines.push(`${path} ${bytes === undefined ? '' : digestOf(bytes)}`));
    return sha256(Buffer.from(lines.join('\n')));
  }

  /** Every path and what is there; for messages. */
  describe(): string[] {
    const lines: string[] = [];
    this.#walk((path, bytes) => {
      if (bytes !== undefined) lines.push(`${path} ${String(bytes.length)} ${sha256(bytes).slice(0, 8)}`);
    });
    return lines;
  }

  /** In the order of the names, folders before what is in them. What no name leads to is not there. */
  #walk(
    visit: (path: string, bytes: Buffer | undefined, id: NodeId) => void,
    id: NodeId = ROOT,
    path = '',
  ): void {
    for (const [name, child] of [...this.folder(id)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const childPath = join(path, name);
      visit(childPath, this.files.get(child), child);
      if (this.folders.has(child)) this.#walk(visit, child, childPath);
    }
  }
}

export function relativePath(root: string, path: string): string {
  return relative(root, path);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
