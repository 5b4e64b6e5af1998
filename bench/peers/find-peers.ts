import type { Workspace } from '../harness/workspace.ts';
import { findAge } from './age.ts';
import { findCopy } from './copy.ts';
import { findFernet } from './fernet.ts';
import { findGocryptfs } from './gocryptfs.ts';
import { findGpg } from './gpg.ts';
import { findOpenssl } from './openssl.ts';
import type { Peer } from './peer.ts';
import { findRclone } from './rclone.ts';
import { findRestic } from './restic.ts';

const FINDERS = [findCopy, findAge, findOpenssl, findGpg, findGocryptfs, findRestic, findRclone, findFernet];

export interface FoundPeers {
  readonly peers: readonly Peer[];
  readonly versions: Readonly<Record<string, string>>;
  /** Those that are not here, with why. */
  readonly skipped: readonly string[];
}

/** The peers that are on this machine, with their keys made. */
export async function findPeers(workspace: Workspace): Promise<FoundPeers> {
  const peers: Peer[] = [];
  const skipped: string[] = [];
  for (const find of FINDERS) {
    const found = await find(workspace);
    if (typeof found === 'string') skipped.push(found);
    else peers.push(found);
  }
  return { peers, skipped, versions: Object.fromEntries(peers.map(({ name, version }) => [name, version])) };
}
