import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARKER, contentOf } from '../contents.ts';
import type { ContentName } from '../contents.ts';
import { FILLED, addAs, added, everyEvent, kept, victim } from './filled-vault.ts';
import { openStage } from './open-stage.ts';
import type { Operation } from './operation.ts';

function add(content: ContentName): Operation {
  const path = added(content);
  return {
    changes: { added: { adds: { [path]: content } } },
    run: async (vault, stage, say) => {
      await addAs(vault, stage, path, content);
      say('added');
    },
  };
}

function replace(name: 'small' | 'sealed'): Operation {
  return {
    changes: { replaced: { adds: { [victim(name)]: 'other' } } },
    run: async (vault, stage, say) => {
      await addAs(vault, stage, victim(name), 'other', 'replace');
      say('replaced');
    },
  };
}

/** As they are named in the folder `tree` of the shelf. */
export const TREE: Readonly<Record<string, ContentName>> = {
  [`${MARKER} 1`]: 'small',
  [`${MARKER} 2`]: 'blob',
  [`${MARKER} 3`]: 'sealed',
  [`${MARKER} 4`]: 'small',
  [`${MARKER} 5`]: 'small',
};

const addTree: Operation = {
  changes: Object.fromEntries(
    Object.entries(TREE).map(([name, content]) => [name, { adds: { [`tree/${name}`]: content } }]),
  ),
  run: async (vault, stage, say) => {
    await everyEvent(vault.addPaths([join(stage.shelf, 'tree')], { recursive: true }), (event) => {
      if (event.type === 'added') say(event.file.name);
    });
  },
};

const victims = Object.keys(FILLED).filter((path) => path.startsWith('victims/'));

/** The content of a folder; the folder's own name is not kept. */
const importTree: Operation = {
  ...addTree,
  run: async (vault, stage, say) => {
    await everyEvent(vault.importFolder(join(stage.shelf, 'tree'), { folder: 'tree' }), (event) => {
      if (event.type === 'added') say(event.file.name);
    });
  },
};

function remove(items: readonly string[], shred = false): Operation {
  const removes = items.flatMap((item) => (item === 'victims' ? victims : [item]));
  return {
    changes: { removed: { removes } },
    run: async (vault, _stage, say) => {
      await everyEvent(vault.removePaths(items, { recursive: true, shred }), () => {
        say('removed');
      });
    },
  };
}

function move(from: string, to: string, adds: Readonly<Record<string, ContentName>>): Operation {
  const removes = Object.keys(FILLED).filter((path) => path === from || path.startsWith(`${from}/`));
  return {
    changes: { moved: { removes, adds } },
    run: async (vault, _stage, say) => {
      await Promise.resolve(vault.move(from, to));
      say('moved');
    },
  };
}

/** What was restored is whole, whether or not it was acknowledged. A hidden temporary file may stay, in the folder that was named. */
function get(names: readonly ContentName[]): Operation {
  return {
    restoresFiles: true,
    run: async (vault, stage, say) => {
      await everyEvent(vault.getPaths(['kept'], { destination: stage.out }), (event) => {
        if (event.type === 'restored') say(event.file.name);
      });
    },
    inspect: (stage, said) => {
      for (const name of names) {
        const path = join(stage.out, kept(name));
        if (existsSync(path)) {
          if (!readFileSync(path).equals(contentOf(name))) throw new Error(`${path} is not whole`);
        } else if (said.has(`${MARKER} ${name}`))
          throw new Error(`${path} was acknowledged and is not there`);
      }
      for (const name of filesBelow(stage.out)) {
        if (!name.startsWith(MARKER) && !/^\.coffer-[0-9a-f]{16}\.tmp$/.test(name))
          throw new Error(`${name} was left behind in the destination`);
      }
    },
  };
}

/** With one that the threads of the pool open. */
const getLarge: Operation = {
  ...get(['small', 'sealed', 'large']),
  startsWith: { ...FILLED, [kept('large')]: 'large' },
  prepare: async (stage) => {
    await using vault = await openStage(stage);
    await addAs(vault, stage, kept('large'), 'large');
  },
};

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Going on with `skipExisting` completes it, and leaves nothing of the first attempt. */
const exportAll: Operation = {
  restoresFiles: true,
  run: async (vault, stage, say) => {
    const destination = join(stage.out, 'exported');
    await everyEvent(vault.exportPaths([], { destination, checksums: true }));
    say('exported');
  },
  inspect: async (stage, _said, vault) => {
    const destination = join(stage.out, 'exported');
    for (const [path, content] of Object.entries(FILLED)) {
      const exported = join(destination, path);
      if (existsSync(exported) && !readFileSync(exported).equals(contentOf(content)))
        throw new Error(`${exported} is not whole`);
    }
    const { files } = await Promise.resolve(vault.list({ recursive: true, folder: '' }));
    await everyEvent(vault.exportPaths([], { destination, checksums: true, skipExisting: true }));
    const there = filesBelow(destination);
    if (there.length !== files.length + 1) throw new Error(`the destination has ${there.join(', ')}`);
  },
};

/** What one session leaves undone is met by the next: a log that was removed, and a removal that was not durable. */
const twoSessions: Operation = {
  changes: {
    added: { adds: { [added('small')]: 'small' } },
    removed: { removes: [victim('blob')] },
  },
  runBare: async (stage, say) => {
    {
      await using vault = await openStage(stage);
      await addAs(vault, stage, added('small'), 'small');
      say('added');
    }
    await using vault = await openStage(stage);
    await everyEvent(vault.removePaths([victim('blob')]));
    say('removed');
  },
};

const cat: Operation = {
  run: async (vault, _stage, say) => {
    let sizeBytes = 0;
    for await (const piece of vault.read(kept('sealed'))) sizeBytes += piece.length;
    say(`read ${String(sizeBytes)}`);
  },
};

const TAG = `${MARKER} tag`;
const tag: Operation = {
  run: async (vault, _stage, say) => {
    await Promise.resolve(vault.tag('victims', { add: [TAG], remove: [] }));
    say('tagged');
  },
  inspect: async (_stage, said, vault) => {
    const tags = await Promise.resolve(vault.tags());
    const count = tags.find((each) => each.tag === TAG)?.fileCount ?? 0;
    const possible = said.has('tagged') ? [victims.length] : [0, victims.length];
    if (!possible.includes(count))
      throw new Error(`${String(count)} of ${String(victims.length)} files are tagged`);
  },
};

export const FILE_OPERATIONS: Readonly<Record<string, Operation>> = {
  open: { run: () => Promise.resolve() },
  'add-small': add('small'),
  'add-blob': add('blob'),
  'add-sealed': add('sealed'),
  'add-large': add('large'),
  'add-tree': addTree,
  import: importTree,
  'replace-small': replace('small'),
  'replace-sealed': replace('sealed'),
  get: get(['small', 'sealed']),
  'get-large': getLarge,
  cat,
  export: exportAll,
  'two-sessions': twoSessions,
  'rm-small': remove([victim('small')]),
  'rm-sealed': remove([victim('sealed')]),
  'rm-folder': remove(['victims']),
  'rm-shred': remove([victim('small'), victim('sealed')], true),
  mv: move(victim('sealed'), 'moved/sealed', { 'moved/sealed': 'sealed' }),
  'mv-folder': move('victims', 'moved/', {
    [`moved/${victim('small')}`]: 'small',
    [`moved/${victim('blob')}`]: 'blob',
    [`moved/${victim('sealed')}`]: 'sealed',
    [`moved/${victim('other')}`]: 'other',
  }),
  tag,
};
