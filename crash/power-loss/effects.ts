import type { DiskTree, NodeId } from './disk-tree.ts';

/** One thing that a system call does to a disk, and that a loss of power may undo as long as it is not durable. */
export type Effect =
  | {
      /** Names that come and go together: a `rename` is both at once. `undefined` takes the name away; `makes` is new, and empty. */
      readonly kind: 'names';
      readonly makes?: { readonly node: NodeId; readonly kind: 'file' | 'folder' };
      readonly changes: readonly {
        readonly folder: NodeId;
        readonly name: string;
        readonly node: NodeId | undefined;
      }[];
    }
  | { readonly kind: 'bytes'; readonly file: NodeId; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'size'; readonly file: NodeId; readonly size: number };

/** What a recorded run does, one step after the other. */
export type Step =
  | { readonly kind: 'effect'; readonly effect: Effect; readonly label: string }
  /** Every effect so far on the bytes of a file is durable, or on the names in a folder. */
  | { readonly kind: 'sync'; readonly node: NodeId; readonly label: string }
  | { readonly kind: 'acknowledge'; readonly word: string };

/** What an effect makes, empty and without a name as yet: whether a name leads to it is what may be lost. */
export function make(tree: DiskTree, effect: Effect): void {
  if (effect.kind !== 'names' || effect.makes === undefined) return;
  const { node, kind } = effect.makes;
  if (kind === 'file') tree.files.set(node, Buffer.alloc(0));
  else tree.folders.set(node, new Map());
}

/** Applies an effect to a tree that may be changed. */
export function apply(tree: DiskTree, effect: Effect): void {
  switch (effect.kind) {
    case 'names':
      for (const { folder, name, node } of effect.changes) {
        const names = tree.folder(folder);
        if (node === undefined) names.delete(name);
        else names.set(name, node);
      }
      return;
    case 'bytes':
      tree.files.set(effect.file, written(tree.files.get(effect.file), effect.offset, effect.bytes));
      return;
    case 'size':
      tree.files.set(effect.file, resized(tree.files.get(effect.file), effect.size));
  }
}

/** What was not written before `offset` reads as zeros, as a hole does. */
function written(before: Buffer = Buffer.alloc(0), offset: number, bytes: Buffer): Buffer {
  const after = resized(before, Math.max(before.length, offset + bytes.length));
  bytes.copy(after, offset);
  return after;
}

function resized(before: Buffer = Buffer.alloc(0), size: number): Buffer {
  const after = Buffer.alloc(size);
  before.copy(after, 0, 0, Math.min(size, before.length));
  return after;
}
