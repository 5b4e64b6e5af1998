import type { Keychain } from '../keychain/keychain.ts';

/** How far a vault was when this machine has last seen it. */
export interface Evidence {
  /** Commits of the database. */
  readonly commits: number;
  /** Of vault.json. */
  readonly generation: number;
}

/** Which copy of which vault: one that was restored elsewhere goes its own way. */
export interface EvidenceName {
  readonly vaultId: string;
  readonly instanceId: string;
}

const CONTENT = /^coffer-evidence-v1:(0|[1-9][0-9]{0,15}):([1-9][0-9]{0,15})$/;

/** What the keychain remembers; `undefined` when it has nothing, or nothing that can be read. Throws as `Keychain.get` does. */
export async function readEvidence(keychain: Keychain, name: EvidenceName): Promise<Evidence | undefined> {
  const bytes = await keychain.get(accountOf(name));
  return bytes === undefined ? undefined : parseEvidence(bytes);
}

/** Throws as `Keychain.set` does. */
export async function writeEvidence(
  keychain: Keychain,
  name: EvidenceName,
  evidence: Evidence,
): Promise<void> {
  await keychain.set(accountOf(name), encodeEvidence(evidence));
}

/** Throws as `Keychain.remove` does. */
export async function removeEvidence(keychain: Keychain, name: EvidenceName): Promise<void> {
  await keychain.remove(accountOf(name));
}

export function encodeEvidence({ commits, generation }: Evidence): Uint8Array {
  return new TextEncoder().encode(`coffer-evidence-v1:${String(commits)}:${String(generation)}`);
}

export function parseEvidence(bytes: Uint8Array): Evidence | undefined {
  const [, commits, generation] = CONTENT.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (commits === undefined || generation === undefined) return undefined;
  return { commits: Number(commits), generation: Number(generation) };
}

function accountOf({ vaultId, instanceId }: EvidenceName): string {
  return `vault/${vaultId}/evidence/${instanceId}`;
}
