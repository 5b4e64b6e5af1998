import type { Migration } from '../../packages/database/src/migrations/migration.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { ContentName } from '../contents.ts';
import type { Stage } from '../stage.ts';

/** Paths in a vault and what is in them. */
export type Files = Readonly<Record<string, ContentName>>;

/** Something that an operation does all at once: after a crash it is done or not done, never half. */
export interface Change {
  readonly removes?: readonly string[];
  readonly adds?: Files;
}

export const SECRET_NAMES = [
  'owner',
  'second',
  'old passphrase',
  'next passphrase',
  'old code',
  'next code',
] as const;

/** A way to open the vault, by a name that `secretOf` knows. */
export type SecretName = (typeof SECRET_NAMES)[number];

interface OperationParts {
  /** What it may do to the files, each change by the word with which the child acknowledges it. */
  readonly changes?: Readonly<Record<string, Change>>;
  /** The same for what opens the vault: until it is acknowledged, one of `before` or `after` does; then `after`, and nothing that is only in `before`. */
  readonly secrets?: {
    readonly acknowledgedBy: string;
    readonly before: readonly SecretName[];
    readonly after: readonly SecretName[];
  };
  /** What is in the vault when it begins; the files of the filled vault when not given. */
  readonly startsWith?: Files;
  /** Makes of the filled vault what the operation starts with. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** What must hold besides, once the vault is open again. `said` is what was acknowledged. Throws what is wrong. */
  readonly inspect?: (stage: Stage, said: ReadonlySet<string>, vault: Vault) => Promise<void> | void;
  /** Names in the vault's folder that may be there afterwards, beside those of every vault. */
  readonly mayLeave?: readonly string[];
  /** What opening may warn of afterwards, however often. */
  readonly mayWarnOf?: RegExp;
  /** Names in `files/` that no file of the vault has, and that have to be there afterwards. */
  readonly keepsInFiles?: readonly string[];
  /** Migrations that the program has besides its own, wherever it runs for this operation. */
  readonly laterMigrations?: readonly Migration[];
  /** Its processes have a keychain, of which nothing is on the disk that is examined. */
  readonly usesKeychain?: boolean;
  /** What is put in `out` may be plaintext: the operation restores files to it. */
  readonly restoresFiles?: boolean;
}

/** An operation on an open vault. Opening and closing it are part of what is interrupted. */
export interface VaultOperation extends OperationParts {
  readonly run: (vault: Vault, stage: Stage, say: (word: string) => void) => Promise<void>;
}

/** An operation that opens or makes the vault itself. */
interface BareOperation extends OperationParts {
  readonly runBare: (stage: Stage, say: (word: string) => void) => Promise<void>;
  /** Before it is acknowledged there may be no vault that opens, and what is left must not keep the operation from being repeated. Whether there is one its `vault.json` says, if `isMade` does not. */
  readonly makesVault?: {
    readonly acknowledgedBy: string;
    readonly isMade?: (stage: Stage) => boolean;
  };
}

export type Operation = VaultOperation | BareOperation;
