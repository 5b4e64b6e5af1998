import type { AddEvent } from '@coffer/vault';
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
  empty: 'an empty folder, left out: a vault has folders only where files are',
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
  #emptyFolders = 0;
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
        const { file, source, replaced } = event;
        this.outcome.succeed();
        this.#added += 1;
        this.#sizeBytes += file.sizeBytes;
        if (output.json) output.record('file', { ...fileRecord(file), source, replaced });
        else if (!output.quiet) output.line(escapeName(file.path));
        return;
      }
      case 'planned': {
        const { source, path, sizeBytes } = event;
        this.outcome.succeed();
        this.#planned += 1;
        this.#sizeBytes += sizeBytes;
        if (output.json) output.record('file', { planned: true, source, path, sizeBytes });
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
        emptyFolders: this.#emptyFolders,
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
    if (this.#emptyFolders > 0)
      parts.push(
        `left out ${formatCount(this.#emptyFolders, 'empty folder')}, which a vault has no place for`,
      );
    if (failed > 0) parts.push(`${formatCount(failed, 'source')} not added`);
    this.#output.info(`${parts.join('; ')}.`);
    return exitCode;
  }

  #noteSkipped({ source, reason }: Skipped): void {
    const text = SKIP_REASONS[reason];
    if (reason === 'empty') {
      this.#emptyFolders += 1;
      this.#output.detail(`${source}: ${text}`);
      return;
    }
    if (reason === 'exists') {
      this.outcome.succeed();
      this.#skippedExisting += 1;
      this.#output.detail(`${source}: ${text}`);
      return;
    }
    const exit = reason === 'folder' ? { exit: 'usage' as const } : {};
    const failure = describeFailure(new CliError('SKIPPED', text, exit));
    this.outcome.fail(failure.exit);
    this.#output.failure(failure, source);
  }
}
