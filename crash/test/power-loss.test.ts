import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOperation } from '../power-loss/check-operation.ts';
import { DiskTree, ROOT } from '../power-loss/disk-tree.ts';
import type { Step } from '../power-loss/effects.ts';
import { powerLossStates } from '../power-loss/states.ts';
import { whyNotTraced } from '../strace.ts';
import { Templates } from '../templates.ts';

const reason = whyNotTraced();
const SEED = 20_261_124;

describe(`what a loss of power may leave of an operation${reason === undefined ? '' : `: ${reason}`}`, () => {
  let folder: string;
  let templates: Templates;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coffer-power-'));
    templates = await Templates.make(folder);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  // `pnpm crash:power` has the others.
  test.skipIf(reason !== undefined).each(['add-sealed', 'rm-sealed', 'key-add'])(
    '%s: every disk that is possible opens, with all that was acknowledged',
    async (operation) => {
      const { states, problems } = await checkOperation(templates, operation, SEED);
      expect(problems).toEqual([]);
      expect(states).toBeGreaterThan(10);
    },
    120_000,
  );
});

describe('the model', () => {
  const FILE = 7;
  const created: Step = {
    kind: 'effect',
    label: 'create',
    effect: {
      kind: 'names',
      makes: { node: FILE, kind: 'file' },
      changes: [{ folder: ROOT, name: 'new.tmp', node: FILE }],
    },
  };
  const renamed: Step = {
    kind: 'effect',
    label: 'rename',
    effect: {
      kind: 'names',
      changes: [
        { folder: ROOT, name: 'file', node: FILE },
        { folder: ROOT, name: 'new.tmp', node: undefined },
      ],
    },
  };
  const wrote: Step = {
    kind: 'effect',
    label: 'write',
    effect: { kind: 'bytes', file: FILE, offset: 0, bytes: Buffer.from('new') },
  };
  const synced = (node: number): Step => ({ kind: 'sync', node, label: 'fsync' });
  const acknowledged: Step = { kind: 'acknowledge', word: 'saved' };

  function before(): DiskTree {
    return new DiskTree(new Map([[ROOT, new Map([['file', 1]])]]), new Map([[1, Buffer.from('old')]]));
  }

  /** What the disk may have after the acknowledgement, in short: names and contents. */
  function disks(steps: readonly Step[]): string[] {
    const found = [...powerLossStates(before(), steps, SEED)].filter(({ said }) => said.has('saved'));
    const line = (tree: DiskTree): string =>
      [...tree.folder(ROOT)]
        .map(([name, node]) => `${name}=${String(tree.files.get(node))}`)
        .sort()
        .join(' ');
    return found.map(({ tree }) => line(tree)).sort();
  }

  test('leaves one disk of a file that was written, synced, renamed and its folder synced', () => {
    expect(disks([created, wrote, synced(FILE), renamed, synced(ROOT), acknowledged])).toEqual(['file=new']);
  });

  test('without the sync of the folder may have the old file, the new one, or the new one under its temporary name', () => {
    expect(disks([created, wrote, synced(FILE), renamed, acknowledged])).toEqual([
      'file=new',
      'file=old',
      'file=old new.tmp=new',
    ]);
  });

  test('without the sync of the file may have it empty, or as long as it was to be', () => {
    expect(disks([created, wrote, renamed, synced(ROOT), acknowledged])).toEqual([
      'file=',
      'file=\0\0\0',
      'file=new',
    ]);
  });
});
