import { createVault } from '../../packages/vault/src/index.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import { MARKER } from '../contents.ts';
import type { ContentName } from '../contents.ts';
import type { Stage } from '../stage.ts';
import type { Files } from './operation.ts';

/** A file that no operation touches. */
export const kept = (name: string): string => `kept/${MARKER} ${name}`;
/** A file that operations move, replace and remove. */
export const victim = (name: string): string => `victims/${MARKER} ${name}`;
/** A file that operations add. */
export const added = (name: string): string => `added/${MARKER} ${name}`;

/** What is in the vault when an operation begins. */
export const FILLED: Files = {
  [kept('small')]: 'small',
  [kept('sealed')]: 'sealed',
  [victim('small')]: 'small',
  [victim('blob')]: 'blob',
  [victim('sealed')]: 'sealed',
  [victim('other')]: 'other',
};

export async function makeFilledVault(stage: Stage): Promise<void> {
  await using vault = await createVault({ directory: stage.vault, secret: stage.secret('owner') });
  for (const [path, content] of Object.entries(FILLED)) await addAs(vault, stage, path, content);
}

/** Adds the file of a content under a path of the vault; throws what keeps it from being added. */
export async function addAs(
  vault: Vault,
  stage: Stage,
  path: string,
  content: ContentName,
  onConflict: 'fail' | 'replace' = 'fail',
): Promise<void> {
  const slash = path.lastIndexOf('/');
  const options = { folder: path.slice(0, slash), name: path.slice(slash + 1), onConflict };
  await everyEvent(vault.addPaths([stage.source(content)], options));
}

/** Runs through events to the end, handing each to `onEvent`; throws the first failure that is among them. */
export async function everyEvent<E extends { readonly type: string }>(
  events: AsyncIterable<E>,
  onEvent: (event: E) => void = () => undefined,
): Promise<void> {
  for await (const event of events) {
    if (event.type === 'failed' && 'error' in event) throw event.error;
    onEvent(event);
  }
}
