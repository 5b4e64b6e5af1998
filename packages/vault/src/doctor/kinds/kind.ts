import type { FindingSubject } from '../finding.ts';

export interface MendAbout {
  /** As a shell takes it. */
  readonly item: string;
  /** What the link in the place of the database leads to in the end, as a shell takes it. */
  readonly database?: string;
  readonly file?: {
    readonly id: string;
    readonly folder: string;
    readonly name: string;
    /** Hex; not there where the row cannot be read. */
    readonly sha256?: string;
  };
}

export interface FindingKind {
  readonly subject: FindingSubject;
  /** What is lost or at risk. */
  readonly cost: string;
  readonly remedy: string;
  /** The command that does it. */
  readonly mend: (about: MendAbout) => string;
  /** Whether `doctor --fix` does it. */
  readonly isFixable?: boolean;
}
