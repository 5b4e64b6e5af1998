import { ACKNOWLEDGEMENT, descriptorKey, descriptorOf, pathArguments } from '../disk-calls.ts';
import type { DiskCall } from '../disk-calls.ts';
import type { SystemCall } from '../system-calls.ts';
import { relativePath } from './disk-tree.ts';
import type { DiskTree, NodeId } from './disk-tree.ts';
import { apply, make } from './effects.ts';
import type { Effect, Step } from './effects.ts';

interface OpenFile {
  readonly node: NodeId;
  /** Where `write` goes on. */
  position: number;
}

/** Calls that change nothing that a vault depends on: times and modes. */
const WITHOUT_EFFECT = new Set(['utimensat', 'fchmod', 'chmod']);

/**
 * Says what each recorded call did to the disk. Follows the run on a tree of its own, `live`, which afterwards is what the disk is when power
 * is not lost: that it equals the real one is tested. Throws at a call that it does not know, so that nothing is left out silently.
 */
export function interpret(
  calls: readonly DiskCall[],
  disk: string,
  before: DiskTree,
): { steps: Step[]; live: DiskTree } {
  const interpreter = new Interpreter(disk, before.copy());
  for (const call of calls) interpreter.take(call);
  return { steps: interpreter.steps, live: interpreter.live };
}

class Interpreter {
  readonly steps: Step[] = [];
  readonly live: DiskTree;
  readonly #disk: string;
  readonly #open = new Map<string, OpenFile>();
  #nextNode = 1_000_000;

  constructor(disk: string, live: DiskTree) {
    this.#disk = disk;
    this.live = live;
  }

  take({ call, path }: DiskCall): void {
    // What failed did nothing.
    if (call.result === undefined || call.result < 0) return;
    if (path === ACKNOWLEDGEMENT) {
      this.#acknowledge(call);
      return;
    }
    const paths = pathArguments(call).map((each) => relativePath(this.#disk, each));
    const [first = '', second = ''] = paths;
    switch (call.name) {
      case 'openat':
        this.#openFile(call, first);
        return;
      case 'close':
        this.#open.delete(descriptorKey(call, descriptorOf(call.arguments[0])));
        return;
      case 'write':
      case 'pwrite64':
        this.#write(call);
        return;
      case 'copy_file_range':
        this.#copy(call, { from: 0, fromOffset: 1, to: 2, toOffset: 3 });
        return;
      case 'sendfile':
        this.#copy(call, { from: 1, fromOffset: 2, to: 0, toOffset: undefined });
        return;
      case 'ioctl':
        this.#control(call, path);
        return;
      case 'ftruncate':
        this.#do(call, { kind: 'size', file: this.#file(call).node, size: numberAt(call, 1) });
        return;
      case 'fsync':
      case 'fdatasync':
        this.steps.push({
          kind: 'sync',
          node: this.#file(call).node,
          label: `${call.name} ${relativePath(this.#disk, path)}`,
        });
        return;
      case 'mkdir':
      case 'mkdirat':
        this.#makeFolder(call, first);
        return;
      case 'link':
      case 'linkat':
        this.#do(call, { kind: 'names', changes: [{ ...this.live.placeOf(second), node: this.#at(first) }] });
        return;
      case 'unlink':
      case 'unlinkat':
      case 'rmdir':
        this.#do(call, { kind: 'names', changes: [{ ...this.live.placeOf(first), node: undefined }] });
        return;
      case 'rename':
      case 'renameat':
      case 'renameat2':
        this.#do(call, {
          kind: 'names',
          changes: [
            { ...this.live.placeOf(second), node: this.#at(first) },
            { ...this.live.placeOf(first), node: undefined },
          ],
        });
        return;
      default:
        if (!WITHOUT_EFFECT.has(call.name)) throw new Error(`the model does not know ${call.name} (${path})`);
    }
  }

  #acknowledge(call: SystemCall): void {
    for (const line of (pathArguments(call)[0] ?? '').split('\n'))
      if (line.startsWith('said '))
        this.steps.push({ kind: 'acknowledge', word: line.slice('said '.length) });
  }

  #openFile(call: SystemCall, path: string): void {
    const flags = call.arguments.find((each) => each.kind === 'text' && each.text.startsWith('O_'));
    const has = (flag: string): boolean => flags?.kind === 'text' && flags.text.includes(flag);
    let node = this.live.find(path);
    if (node === undefined) {
      if (!has('O_CREAT')) throw new Error(`${path} was opened, and the model has no such file`);
      node = this.#nextNode++;
      this.#do(call, {
        kind: 'names',
        makes: { node, kind: 'file' },
        changes: [{ ...this.live.placeOf(path), node }],
      });
    } else if (has('O_TRUNC') && (this.live.files.get(node)?.length ?? 0) > 0) {
      this.#do(call, { kind: 'size', file: node, size: 0 });
    }
    this.#open.set(descriptorKey(call, call.result ?? -1), { node, position: 0 });
  }

  #write(call: SystemCall): void {
    const file = this.#file(call);
    const data = call.arguments[1];
    if (data?.kind !== 'bytes') throw new Error(`${call.name} without its bytes`);
    const offset = call.name === 'write' ? file.position : numberAt(call, 3);
    const bytes = data.bytes.subarray(0, call.result);
    if (call.name === 'write') file.position += bytes.length;
    this.#do(call, { kind: 'bytes', file: file.node, offset, bytes });
  }

  /** Copies as many bytes as the call says, from where and to where its offsets say, or where the descriptors are. */
  #copy(
    call: SystemCall,
    at: {
      readonly from: number;
      readonly fromOffset: number;
      readonly to: number;
      readonly toOffset: number | undefined;
    },
  ): void {
    const [from, to] = [this.#file(call, at.from), this.#file(call, at.to)];
    const size = call.result ?? 0;
    const start = takeOffset(call, at.fromOffset, from, size);
    const offset = takeOffset(call, at.toOffset, to, size);
    const bytes = Buffer.from(this.#bytesOf(from).subarray(start, start + size));
    if (size > 0) this.#do(call, { kind: 'bytes', file: to.node, offset, bytes });
  }

  /** A reflink is a copy of everything, over what was there. */
  #control(call: SystemCall, path: string): void {
    const request = call.arguments[1];
    if (request?.kind !== 'text' || !/\bFICLONE\b/.test(request.text))
      throw new Error(`the model does not know this ioctl (${path})`);
    const [to, from] = [this.#file(call, 0), this.#file(call, 2)];
    const bytes = Buffer.from(this.#bytesOf(from));
    this.#do(call, { kind: 'size', file: to.node, size: bytes.length });
    this.#do(call, { kind: 'bytes', file: to.node, offset: 0, bytes });
  }

  #bytesOf({ node }: OpenFile): Buffer {
    return this.live.files.get(node) ?? Buffer.alloc(0);
  }

  #makeFolder(call: SystemCall, path: string): void {
    const node = this.#nextNode++;
    this.#do(call, {
      kind: 'names',
      makes: { node, kind: 'folder' },
      changes: [{ ...this.live.placeOf(path), node }],
    });
  }

  #do(call: SystemCall, effect: Effect): void {
    make(this.live, effect);
    apply(this.live, effect);
    this.steps.push({ kind: 'effect', effect, label: labelOf(call, effect) });
  }

  #at(path: string): NodeId {
    const node = this.live.find(path);
    if (node === undefined) throw new Error(`the model has no ${path}`);
    return node;
  }

  /** The open file whose descriptor is the argument at `index`. */
  #file(call: SystemCall, index = 0): OpenFile {
    const file = this.#open.get(descriptorKey(call, descriptorOf(call.arguments[index])));
    if (file === undefined) throw new Error(`${call.name} of a file that the model has not seen opened`);
    return file;
  }
}

function numberAt(call: SystemCall, index: number): number {
  return descriptorOf(call.arguments[index]);
}

/** `[8192]` is an offset of its own; `NULL` stands for the position of the descriptor, which moves on. */
function takeOffset(call: SystemCall, index: number | undefined, file: OpenFile, size: number): number {
  const argument = index === undefined ? undefined : call.arguments[index];
  if (argument?.kind === 'text' && argument.text.startsWith('['))
    return Number.parseInt(argument.text.slice(1), 10);
  const offset = file.position;
  file.position += size;
  return offset;
}

function labelOf(call: SystemCall, effect: Effect): string {
  if (effect.kind === 'names') return `${call.name} ${effect.changes.map(({ name }) => name).join(' <- ')}`;
  return effect.kind === 'size' ? `size ${String(effect.size)}` : `${call.name} at ${String(effect.offset)}`;
}
