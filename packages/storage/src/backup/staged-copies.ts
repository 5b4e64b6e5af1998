import type { FileId, FileRow } from '@coffer/database';
import type { SealedCopies, Secured } from './sealed-copies.ts';
import type { StageOptions, StagePort } from './stage-backup.ts';
import type { Staging } from './staging.ts';
import { Turns } from './turns.ts';

/** Brings files into a staging folder one at a time: in their order for the backup, and out of turn for deletions that wait for one. */
export class StagedCopies {
  readonly #port: StagePort;
  readonly #options: StageOptions;
  readonly #copies: SealedCopies;
  readonly #staging: Staging;
  readonly #turns = new Turns();
  /** What was done for deletions: their files may be gone, or half gone, by the time of their turn. */
  readonly #deleted = new Map<FileId, Secured>();
  #failure: { readonly error: unknown } | undefined;

  constructor(port: StagePort, options: StageOptions, copies: SealedCopies, staging: Staging) {
    this.#port = port;
    this.#options = options;
    this.#copies = copies;
    this.#staging = staging;
  }

  /** Copies the database before any file: only then is it known what the backup has. */
  async afterDatabase(copyDatabase: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#turns.take(() => this.#port.run((own) => copyDatabase(this.#either(own))));
  }

  /** Throws what keeps the backup from going on, also when it happened for a deletion. */
  async secure(row: FileRow): Promise<Secured> {
    const secured = await this.#turns.take(
      async () => this.#deleted.get(row.id) ?? (await this.#secure(row, true)),
    );
    if (this.#failure !== undefined) throw this.#failure.error;
    return secured;
  }

  /** For a file that is about to be destroyed. Never rejects: what goes wrong ends the backup. */
  async secureDeleted(row: FileRow): Promise<void> {
    await this.#turns.take(async () => {
      try {
        // A file that came later than the copy of the database is not the backup's.
        const isOurs = this.#staging.database.files.find(row.id)?.placement === 'sealed';
        if (isOurs && this.#failure === undefined) this.#deleted.set(row.id, await this.#secure(row, false));
      } catch (error) {
        this.#failure ??= { error };
      }
    });
  }

  /** Resolves when nothing is being copied. Throws as `secure` does. */
  async settled(): Promise<void> {
    await this.#turns.take(() => Promise.resolve());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #secure(row: FileRow, isInOrder: boolean): Promise<Secured> {
    const { verify = false, watch } = this.#options;
    const secured = await this.#port.run((own) =>
      this.#copies.secure(row, {
        dryRun: false,
        verify,
        signal: this.#either(own),
        onProgress: (bytesDone) => {
          if (isInOrder) watch?.advance(bytesDone);
        },
      }),
    );
    if ('header' in secured) await this.#staging.addHeader(row.id, secured.header);
    if (secured.kind === 'failed') this.#staging.markRow(row, secured.has);
    return secured;
  }

  #either(own: AbortSignal): AbortSignal {
    const { signal } = this.#options;
    return signal === undefined ? own : AbortSignal.any([own, signal]);
  }
}
