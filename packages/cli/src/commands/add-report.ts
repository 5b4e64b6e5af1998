import type { AddEvent, AddNote } from '@coffer/vault';
import { CliError } from '../cli-error.ts';
import { describeFailure } from '../failure.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { fileRecord } from '../output/records.ts';

type Skipped = Extract<AddEvent, { type: 'skipped' }>;

const SKIP_REASONS: Readonly<Record<Skipped['reason'], string>> = {
  link: 'a symbolic link, not added',
  fifo: 'a pipe, not added',
  socket: 'a socket, not added',
  device: 'a device, not added',
  vault: 'the vault itself, not added',
  folder: 'a folder, not added without -r',
  exists: 'left out: the path is taken',
  same: 'left out: the same content is there already',
  empty: 'an empty folder, left out: a vault has folders only where files are',
};

const NOTES: Readonly<Record<AddNote, string>> = {
  unverified: 'the source has no hash of it: its content could not be checked',
  'no-time': 'the source does not say when it was made: the time of adding is kept',
  renamed: 'its name could not be kept as it was',
};

/** Reports what became of each source as it comes, and the whole at the end: for everything that takes files into the vault. */
export class AddReport {
  readonly outcome: Outcome = new Outcome();
  readonly #output: Output;
  readonly #command: string;
  readonly #dryRun: boolean;
  #added = 0;
  #planned = 0;
  #skippedExisting = 0;
  #skippedSame = 0;
  #emptyFolders = 0;
  #unverified = 0;
  #sizeBytes = 0;

  constructor(output: Output, { command, dryRun }: { command: string; dryRun: boolean }) {
    this.#output = output;
    this.#command = command;
    this.#dryRun = dryRun;
  }

  /** One event of the vault. */
  note(event: AddEvent): void {
    const output = this.#output;
    switch (event.type) {
      case 'added': {
        const { file, source, replaced, notes } = event;
        this.outcome.succeed();
        this.#noteNotes(source, notes);
        this.#added += 1;
        this.#sizeBytes += file.sizeBytes;
        if (output.json) output.record('file', { ...fileRecord(file), source, replaced, notes });
        else if (!output.quiet) output.line(escapeName(file.path));
        return;
      }
      case 'planned': {
        const { source, path, sizeBytes, notes } = event;
        this.outcome.succeed();
        this.#noteNotes(source, notes);
        this.#planned += 1;
        this.#sizeBytes += sizeBytes;
        if (output.json) output.record('file', { planned: true, source, path, sizeBytes, notes });
        else output.line(escapeName(path));
        return;
      }
      case 'skipped':
        this.#noteSkipped(event);
        return;
      case 'failed': {
        const failure = describeFailure(event.error);
        this.outcome.fail(failure.exit);
        output.failure(failure, event.source);
      }
    }
  }

  /** The summary; returns the exit code. */
  finish(seconds: number): number {
    const { failed, exitCode } = this.outcome;
    const sizeBytes = this.#sizeBytes;
    if (this.#output.json) {
      this.#output.record('summary', {
        command: this.#command,
        dryRun: this.#dryRun,
        added: this.#added,
        ...(this.#dryRun ? { planned: this.#planned } : {}),
        skippedExisting: this.#skippedExisting,
        skippedSame: this.#skippedSame,
        emptyFolders: this.#emptyFolders,
        unverified: this.#unverified,
        failed,
        sizeBytes,
        seconds,
      });
      return exitCode;
    }
    if (this.outcome.isLoneFailure) return exitCode;
    const parts = [
      this.#dryRun
        ? `Would add ${formatCount(this.#planned, 'file')}, ${formatSize(sizeBytes)}`
        : `Added ${formatCount(this.#added, 'file')}, ${formatSize(sizeBytes)}, in ${formatDuration(seconds)}`,
    ];
    if (this.#skippedExisting > 0)
      parts.push(`left out ${formatCount(this.#skippedExisting, 'file')} whose path is taken`);
    if (this.#skippedSame > 0)
      parts.push(`left out ${formatCount(this.#skippedSame, 'file')} that the vault has already`);
    if (this.#unverified > 0)
      parts.push(`${formatCount(this.#unverified, 'file')} had no hash to be checked by`);
    if (this.#emptyFolders > 0)
      parts.push(
        `left out ${formatCount(this.#emptyFolders, 'empty folder')}, which a vault has no place for`,
      );
    if (failed > 0) parts.push(`${formatCount(failed, 'source')} not added`);
    this.#output.info(`${parts.join('; ')}.`);
    return exitCode;
  }

  #noteNotes(source: string, notes: readonly AddNote[] = []): void {
    if (notes.includes('unverified')) this.#unverified += 1;
    for (const note of notes) this.#output.detail(`${source}: ${NOTES[note]}`);
  }

  #noteSkipped({ source, reason }: Skipped): void {
    const text = SKIP_REASONS[reason];
    if (reason === 'empty') {
      this.#emptyFolders += 1;
      this.#output.detail(`${source}: ${text}`);
      return;
    }
    if (reason === 'exists' || reason === 'same') {
      this.outcome.succeed();
      if (reason === 'same') this.#skippedSame += 1;
      else this.#skippedExisting += 1;
      this.#output.detail(`${source}: ${text}`);
      return;
    }
    const failure = describeFailure(new CliError(reason === 'folder' ? 'USAGE' : 'SKIPPED', text));
    this.outcome.fail(failure.exit);
    this.#output.failure(failure, source);
  }
}
