import type { TransferProgress } from '@coffer/transfer-models';
import type { Host } from '../host.ts';
import { formatCount, formatDuration, formatSize } from './format.ts';
import type { Output } from './output.ts';

export type ProgressChoice = 'auto' | 'plain' | 'json' | 'none';

/** What a long command reports: bytes, and of how many files. */
export interface Progress extends TransferProgress {
  readonly filesDone: number;
  readonly filesTotal: number | undefined;
  readonly current: string | undefined;
}

/** Shows progress. Disposing takes it from the screen. */
export interface ProgressView extends Disposable {
  readonly update: (progress: Progress) => void;
}

/** Nothing is drawn for what takes less than this. */
const QUIET_START_MS = 1000;
const REDRAW_MS = 100;
const PLAIN_LINE_MS = 1000;

/**
 * The view that --progress asks for: `auto` is a bar when stderr is a terminal, and nothing otherwise, or with --json or
 * -q. At most 10 updates a second whatever the caller reports, and never before the first second is over (but `json`, which
 * a program reads).
 */
export async function createProgressView(
  choice: ProgressChoice,
  { output, host, command }: { output: Output; host: Pick<Host, 'env' | 'now'>; command: string },
): Promise<ProgressView> {
  switch (choice) {
    case 'json':
      return paced(host, { startMs: 0, everyMs: REDRAW_MS }, (progress) => {
        output.progressRecord({ command, ...progress });
      });
    case 'plain':
      return paced(host, { startMs: QUIET_START_MS, everyMs: PLAIN_LINE_MS }, (progress) => {
        output.progressLine(`${command}: ${describeProgress(progress).join(', ')}`);
      });
    case 'auto': {
      if (output.json || output.quiet || !output.canDraw(host.env)) return SILENT;
      const { createProgressBar } = await import('./progress-bar.ts');
      const bar = createProgressBar(output);
      return paced(host, { startMs: QUIET_START_MS, everyMs: REDRAW_MS }, bar.update, bar.finish);
    }
    case 'none':
      return SILENT;
  }
}

/** `12 MB of 48 MB (25 %)`, `40 MB/s`, `3 s left`, `12 of 48 files`: the parts that are known. */
export function describeProgress(progress: Progress): string[] {
  const { bytesDone, bytesTotal, fraction, bytesPerSecond, secondsLeft, filesDone, filesTotal } = progress;
  const parts = [
    bytesTotal === undefined
      ? formatSize(bytesDone)
      : `${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`,
  ];
  if (fraction !== undefined) parts.push(`${String(Math.floor(fraction * 100))} %`);
  if (bytesPerSecond !== undefined) parts.push(`${formatSize(bytesPerSecond)}/s`);
  if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  if (filesTotal === undefined) {
    if (filesDone > 0) parts.push(formatCount(filesDone, 'file'));
  } else if (filesTotal > 1) {
    parts.push(`${filesDone.toLocaleString('en-US')} of ${formatCount(filesTotal, 'file')}`);
  }
  return parts;
}

const SILENT: ProgressView = { update: () => undefined, [Symbol.dispose]: () => undefined };

function paced(
  host: Pick<Host, 'now'>,
  { startMs, everyMs }: { startMs: number; everyMs: number },
  show: (progress: Progress) => void,
  finish: () => void = () => undefined,
): ProgressView {
  const firstMs = host.now() + startMs;
  let nextMs = firstMs;
  let pending: Progress | undefined;
  return {
    update(progress) {
      const nowMs = host.now();
      pending = progress;
      if (nowMs < nextMs) return;
      nextMs = nowMs + everyMs;
      pending = undefined;
      show(progress);
    },
    [Symbol.dispose]() {
      // The last report is the one that says how it ended.
      if (pending !== undefined && host.now() >= firstMs) show(pending);
      finish();
    },
  };
}
