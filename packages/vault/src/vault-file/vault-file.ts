import type { VaultPaths } from '../paths.ts';
import { slotInfo } from '../slots/slot.ts';
import type { SlotInfo } from '../slots/slot.ts';
import type { ParsedVaultFile } from './content.ts';

/** The key slots of a vault as they are on disk, without any key. Immutable: a change gives a new one. */
export interface VaultFile {
  readonly paths: VaultPaths;
  readonly formatVersion: number;
  readonly vaultId: string;
  /** Grows by one with every change. */
  readonly generation: number;
  readonly slots: readonly SlotInfo[];
  /** Lines for a person: a copy that is missing, damaged or different, and modes that are too loose. */
  readonly warnings: readonly string[];
  /** Those of the warnings that are about modes, which `repairVaultFile` leaves as they are. */
  readonly modeWarnings: readonly string[];
  /** Whether the two copies are not what they should be: `repairVaultFile`. */
  readonly needsRepair: boolean;
  /** What is used. */
  readonly current: ParsedVaultFile;
  /** Whether what is used is `vault.json` itself, not its copy. */
  readonly isFirstCurrent: boolean;
  /** The other copy, if it is whole and of this vault and says something else: what an interrupted change leaves. */
  readonly other: ParsedVaultFile | undefined;
  /** Whether the second copy belongs to another vault: nothing is written then. */
  readonly isCopyForeign: boolean;
}

export interface VaultFileFindings {
  readonly warnings?: readonly string[];
  readonly modeWarnings?: readonly string[];
  readonly needsRepair?: boolean;
  readonly other?: ParsedVaultFile | undefined;
  readonly isFirstCurrent?: boolean;
  readonly isCopyForeign?: boolean;
}

export function vaultFileOf(
  paths: VaultPaths,
  current: ParsedVaultFile,
  found: VaultFileFindings = {},
): VaultFile {
  const { formatVersion, vaultId, generation, slots } = current.content;
  return {
    paths,
    formatVersion,
    vaultId,
    generation,
    slots: slots.map(slotInfo),
    warnings: [...(found.warnings ?? []), ...(found.modeWarnings ?? [])],
    modeWarnings: found.modeWarnings ?? [],
    needsRepair: found.needsRepair ?? false,
    current,
    other: found.other,
    isFirstCurrent: found.isFirstCurrent ?? true,
    isCopyForeign: found.isCopyForeign ?? false,
  };
}
