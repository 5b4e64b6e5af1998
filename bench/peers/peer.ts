import type { Sample } from '../harness/measured-process.ts';
import type { Workspace } from '../harness/workspace.ts';

/** Another program that encrypts files. Making keys and repositories is not in its time; making the result durable is. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  /** Whether it takes a folder as it is. */
  readonly takesFolders: boolean;
  /** More than this would take too long, or too much memory. */
  readonly maxSizeBytes?: number;
  /** Encrypts a file or folder into a new empty folder. */
  seal(source: string, folder: string): Promise<Sample>;
  /** Decrypts what `seal` made in this folder to a path that is not there yet. */
  open(folder: string, target: string): Promise<Sample>;
}

/** Looks for a peer on this machine; a text says why it cannot be measured. */
export type FindPeer = (workspace: Workspace) => Promise<Peer | string>;
