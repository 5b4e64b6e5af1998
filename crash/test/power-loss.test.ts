import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOperation } from '../power-loss/check-operation.ts';
import { diskCalls } from '../disk-calls.ts';
import { DiskTree, ROOT } from '../power-loss/disk-tree.ts';
import type { Step } from '../power-loss/effects.ts';
import { QUICK } from '../power-loss/losses.ts';
import { interpret } from '../power-loss/interpret.ts';
import { recordSteps } from '../power-loss/record-steps.ts';
import { powerLossStates } from '../power-loss/states.ts';
import { whyNotTraced } from '../strace.ts';
import { parseSystemCalls } from '../system-calls.ts';
import { Templates } from '../templates.ts';

const reason = await whyNotTraced();
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
  test
    .skipIf(reason !== undefined)
    .each(['add-sealed', 'get', 'rm-sealed', 'key-add', 'quarantine-adopt', 'doctor-fix'])(
    '%s: every disk that is possible opens, with all that was acknowledged',
    async (operation) => {
      const { states, problems } = await checkOperation(templates, operation, SEED);
      expect(problems).toEqual([]);
      expect(states).toBeGreaterThan(10);
    },
    1_800_000,
  );

  // Smaller ones are written segment by segment, 256 KiB each.
  test.skipIf(reason !== undefined).each(['add-large', 'get-large'])(
    '%s: go through the threads of the pool, and none of it is durable before the file is synced',
    async (operation) => {
      const { before, steps } = await recordSteps(templates, operation);
      const isLarge = (step: Step): boolean =>
        step.kind === 'effect' && step.effect.kind === 'bytes' && step.effect.bytes.length >= 1024 * 1024;
      const large = steps.filter(isLarge);
      expect(large.length).toBeGreaterThan(4);
      const last = steps.findLastIndex(isLarge);
      // As if no folder were synced meanwhile: what is pending is then all said by one state.
      const written = steps.slice(0, last + 1).filter(({ kind }) => kind === 'effect');
      const [first] = powerLossStates(before, written, SEED, QUICK);
      const pending = first?.pending.filter((label) => label.startsWith('pwrite64')) ?? [];
      expect(pending.length).toBeGreaterThanOrEqual(large.length);
      const file = steps[last];
      if (file?.kind !== 'effect' || file.effect.kind !== 'bytes') throw new Error('not a write');
      const { file: node } = file.effect;
      const syncs = steps.flatMap((step, at) => (step.kind === 'sync' && step.node === node ? at : []));
      expect(syncs.filter((at) => at < last)).toEqual([]);
      expect(syncs).not.toEqual([]);
    },
    1_800_000,
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
    const found = [...powerLossStates(before(), steps, SEED, QUICK)].filter(({ said }) => said.has('saved'));
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

  /** What a recording of strace does to the disk above, which is at `/disk`. */
  function replay(lines: readonly string[]): string[] {
    const hexadecimal = (line: string): string =>
      line.replaceAll(
        /"(.*?)"/g,
        (_, text: string) => `"${Buffer.from(text).toString('hex').replaceAll(/../g, '\\x$&')}"`,
      );
    const calls = parseSystemCalls(lines.map(hexadecimal).join('\n'));
    const { live } = interpret(diskCalls(calls, '/disk'), '/disk', before());
    return [...live.folder(ROOT)].map(([name, node]) => `${name}=${String(live.files.get(node))}`).sort();
  }
  const opened = [
    '1 openat(AT_FDCWD, "/disk/file", O_RDONLY) = 5',
    '1 openat(AT_FDCWD, "/disk/new", O_WRONLY|O_CREAT|O_EXCL, 0600) = 6',
  ];

  test.each([
    ['copy_file_range', '1 copy_file_range(5, [1], 6, NULL, 100, 0) = 2', 'ld'],
    ['sendfile', '1 sendfile(6, 5, [0] => [2], 2) = 2', 'ol'],
    ['a reflink', '1 ioctl(6, BTRFS_IOC_CLONE or FICLONE, 5) = 0', 'old'],
    [
      'a reflink that the file system does not have',
      '1 ioctl(6, BTRFS_IOC_CLONE or FICLONE, 5) = -1 EOPNOTSUPP',
      '',
    ],
  ])('follows a copy by %s', (_name, call, content) => {
    expect(replay([...opened, call])).toEqual(['file=old', `new=${content}`]);
  });

  test('does not take the descriptors of another process for those of the one that made it', () => {
    const lines = [
      '1 openat(AT_FDCWD, "/disk/file", O_RDWR) = 5',
      '1 vfork( <unfinished ...>',
      '2 openat(AT_FDCWD, "/disk/file", O_RDONLY) = 5',
      '2 close(5) = 0',
      '2 write(1, "said saved", 10) = 10',
      '1 <... vfork resumed>) = 2',
      '1 pwrite64(5, "new", 3, 0) = 3',
    ];
    expect(replay(lines)).toEqual(['file=new']);
  });

  test('takes threads for parts of their process', () => {
    const lines = [
      '1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, stack_size=0x7fff80}, 88) = 2',
      '2 openat(AT_FDCWD, "/disk/file", O_RDWR) = 5',
      '1 pwrite64(5, "new", 3, 0) = 3',
    ];
    expect(replay(lines)).toEqual(['file=new']);
  });

  test.each(['pwritev(5, 0x7ffe, 1, 0) = 3', 'ioctl(5, FS_IOC_SETFLAGS, 0x7ffe) = 0'])(
    'does not go on after %s, which it does not know',
    (call) => {
      expect(() => replay([...opened, `1 ${call}`])).toThrow('the model does not know');
    },
  );
});
