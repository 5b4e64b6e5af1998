/** The part of a V8 CPU profile that is used here; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** What a sample counts as, by the calls on its stack. */
interface Stage {
  readonly name: string;
  readonly about: string;
  readonly matches: (stack: readonly string[]) => boolean;
}

const within =
  (...parts: readonly string[]) =>
  (stack: readonly string[]): boolean =>
    stack.some((frame) => parts.some((part) => frame.includes(part)));

/** In this order: the first that matches has the sample. A frame is `url function`. */
export const STAGES: readonly Stage[] = [
  { name: 'read', about: 'the source', matches: within('node:fs read', ' read', 'FileHandle.read') },
  { name: 'SHA-256', about: 'of the content', matches: isContentHash },
  {
    name: 'AES-128-CBC',
    about: 'with setting up the cipher',
    matches: within('internal/crypto/cipher', 'Aes128Cbc'),
  },
  {
    name: 'HMAC-SHA-256',
    about: 'of segments, and their keys',
    matches: within('internal/crypto/hash', 'hmacSha256'),
  },
  { name: 'random IVs', about: '', matches: within('internal/crypto/random') },
  {
    name: 'write',
    about: 'handing it to a thread without JavaScript',
    matches: within('node:fs write', ' writeBuffer', 'FileHandle.write'),
  },
  {
    name: 'waking others',
    about: 'Atomics.notify; a woken thread may take the core',
    matches: within('#raise'),
  },
  { name: 'garbage collection', about: '', matches: within('(garbage collector)') },
  {
    name: 'loading code',
    about: 'in the workers',
    matches: within('internal/modules', 'internal/main', 'internal/boot', 'internal/deps'),
  },
  { name: 'else', about: 'native code without a name, our own JavaScript', matches: () => true },
];

/** Hash and HMAC share their code in Node.js: who asked tells them apart. */
function isContentHash(stack: readonly string[]): boolean {
  return within('internal/crypto/hash')(stack) && !within('mac', 'Hmac')(stack);
}

/** Nothing was done, or only for the profiler. */
const isNoWork = within(' (idle)', '#wait', 'waitForSlot', 'waitForPlaintext', 'node:inspector');

/** Seconds by stage, summed over the threads that run JavaScript, without those in which a thread waited for another. */
export function readStages(profiles: readonly CpuProfile[]): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const profile of profiles) {
    const stages = stageOfNodes(profile.nodes);
    for (const [index, id] of profile.samples.entries()) {
      const stage = stages.get(id);
      if (stage !== undefined)
        seconds[stage] = (seconds[stage] ?? 0) + (profile.timeDeltas[index] ?? 0) / 1e6;
    }
  }
  return seconds;
}

function stageOfNodes(nodes: readonly ProfileNode[]): Map<number, string | undefined> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return new Map(
    nodes.map((node) => {
      const stack: string[] = [];
      for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
        stack.push(`${at.callFrame.url} ${at.callFrame.functionName}`);
      }
      return [node.id, isNoWork(stack) ? undefined : STAGES.find(({ matches }) => matches(stack))?.name];
    }),
  );
}
