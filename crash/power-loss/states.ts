import { createHash } from 'node:crypto';
import { seeded } from '../seeded.ts';
import type { Random } from '../seeded.ts';
import type { DiskTree, NodeId } from './disk-tree.ts';
import { apply, make } from './effects.ts';
import type { Effect, Step } from './effects.ts';
import { isExhaustive, nameLosses, writeLosses } from './losses.ts';
import type { Limits, Survivors } from './losses.ts';

const SAMPLED_COMBINATIONS = 64;

/** A disk as it may be when power comes back, and what was acknowledged before it went. */
export interface PowerLossState {
  readonly tree: DiskTree;
  readonly said: ReadonlySet<string>;
  /** Before which step power was lost. */
  readonly cut: number;
  /** Whether every subset of what was pending then is tried, and not a choice of them. */
  readonly isExhaustive: boolean;
  /** What was not durable then. */
  readonly pending: readonly string[];
}

/**
 * All states that a loss of power may leave, each once.
 *
 * It is enough to cut before each sync and at the end. Between two syncs effects are only added, and any of them may be lost, so that
 * the states of an earlier cut are among those of the next sync; and what is acknowledged only makes more be asked of them.
 */
export function* powerLossStates(
  before: DiskTree,
  steps: readonly Step[],
  seed: number,
  limits: Limits,
): Generator<PowerLossState> {
  const random = seeded(seed);
  const seen = new Set<string>();
  const digestOf = rememberedDigest();
  const durable = before.copy();
  let pending: PendingEffect[] = [];
  const said = new Set<string>();
  for (let cut = 0; cut <= steps.length; cut++) {
    const step = steps[cut];
    if (step === undefined || step.kind === 'sync') {
      const { ways, isExhaustive } = combinations(durable, pending, random, limits);
      for (const survivors of ways) {
        const tree = durable.copy();
        for (const effect of survivors) apply(tree, effect);
        const key = `${tree.digest(digestOf)} ${[...said].join()}`;
        if (seen.has(key)) continue;
        seen.add(key);
        yield { tree, said: new Set(said), cut, isExhaustive, pending: pending.map(({ label }) => label) };
      }
    }
    if (step?.kind === 'acknowledge') said.add(step.word);
    if (step?.kind === 'effect') {
      make(durable, step.effect);
      pending.push({ effect: step.effect, label: step.label });
    }
    if (step?.kind === 'sync') pending = settle(durable, pending, step.node);
  }
}

interface PendingEffect {
  readonly effect: Effect;
  readonly label: string;
}

/**
 * Makes the effects on a node durable, in their order; returns those that still are not. Of a `rename` from one folder to another, a sync of the
 * new folder makes the new name durable, while the old one may come back; one of the old folder makes both durable, for a rename
 * never takes the old name without giving the new one.
 */
function settle(durable: DiskTree, pending: readonly PendingEffect[], node: NodeId): PendingEffect[] {
  return pending.flatMap(({ effect, label }): PendingEffect[] => {
    if (effect.kind !== 'names') {
      if (effect.file !== node) return [{ effect, label }];
      apply(durable, effect);
      return [];
    }
    const touching = effect.changes.filter(({ folder }) => folder === node);
    if (touching.length === 0) return [{ effect, label }];
    const removes = touching.some((change) => change.node === undefined);
    const done = removes ? effect.changes : touching;
    apply(durable, { ...effect, changes: done });
    const left = effect.changes.filter((change) => !done.includes(change));
    return left.length === 0 ? [] : [{ effect: { ...effect, changes: left }, label }];
  });
}

/** Names are lost or not apart from the writes to each file, and those apart from the writes to others. */
function combinations(
  durable: DiskTree,
  pending: readonly PendingEffect[],
  random: Random,
  limits: Limits,
): { readonly ways: Iterable<Survivors>; readonly isExhaustive: boolean } {
  const effects = pending.map(({ effect }) => effect);
  const files = new Map<NodeId, Effect[]>();
  for (const effect of effects) {
    if (effect.kind === 'names') continue;
    files.set(effect.file, [...(files.get(effect.file) ?? []), effect]);
  }
  const names = effects.filter(({ kind }) => kind === 'names');
  const groups = [
    nameLosses(names, limits),
    ...[...files].map(([file, writes]) =>
      writeLosses(writes, durable.files.get(file)?.length ?? 0, random, limits),
    ),
  ];
  const count = groups.reduce((total, { length }) => total * length, 1);
  if (count > limits.combinations) return { ways: chosen(groups, random), isExhaustive: false };
  return { ways: product(groups), isExhaustive: isExhaustive(names, files.values(), limits) };
}

/** Each group in all its ways while of the others everything survives, or nothing does; and some of all the combinations. */
function* chosen(groups: readonly (readonly Survivors[])[], random: Random): Generator<Survivors> {
  for (const [index, group] of groups.entries()) {
    for (const way of group) {
      for (const others of [mostOf, leastOf])
        yield groups.flatMap((other, at) => (at === index ? way : others(other)));
    }
  }
  for (let sample = 0; sample < SAMPLED_COMBINATIONS; sample++)
    yield groups.flatMap((group) => group[Math.floor(random() * group.length)] ?? []);
}

function mostOf(ways: readonly Survivors[]): Survivors {
  return ways.reduce((most, way) => (way.length > most.length ? way : most), []);
}

function leastOf(ways: readonly Survivors[]): Survivors {
  return ways.reduce((least, way) => (way.length < least.length ? way : least), ways[0] ?? []);
}

function* product(groups: readonly (readonly Survivors[])[]): Generator<Survivors> {
  const [first, ...rest] = groups;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const survivors of first) for (const others of product(rest)) yield [...survivors, ...others];
}

/** Files that are not changed are shared by all trees, and hashed once. */
function rememberedDigest(): (bytes: Buffer) => string {
  const known = new WeakMap<Buffer, string>();
  return (bytes) => {
    const digest = known.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
    known.set(bytes, digest);
    return digest;
  };
}
