import { SingleBar } from 'cli-progress';
import { escapeText } from './escape.ts';
import type { Output } from './output.ts';
import { describeProgress, type Progress } from './progress.ts';
import { fitText } from './text-width.ts';

const BAR_WIDTH = 24;

/** The bar's port: `update` draws it, `finish` takes it away. The drawing is cli-progress's. */
export interface ProgressBar {
  readonly update: (progress: Progress) => void;
  readonly finish: () => void;
}

/** A bar on the terminal of stderr; lines that are written to the same terminal clear it first. */
export function createProgressBar(output: Output): ProgressBar {
  let bar: SingleBar | undefined;
  let latest: Progress | undefined;
  const clear = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const { stream, detach } = output.attachBar(clear);
  return {
    update(progress) {
      latest = progress;
      if (bar === undefined) {
        bar = new SingleBar({
          stream,
          format: () => (latest === undefined ? '' : drawBar(latest, stream.columns ?? 80)),
          fps: 10,
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        });
        bar.start(1, 0);
      }
      bar.update(progress.fraction ?? 0);
    },
    finish() {
      clear();
      detach();
    },
  };
}

/** One line of the bar, no wider than the terminal. */
export function drawBar(progress: Progress, terminalWidth: number): string {
  const { fraction, current } = progress;
  const parts = describeProgress(progress);
  if (fraction !== undefined) {
    const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH);
    parts.unshift('█'.repeat(full) + '░'.repeat(BAR_WIDTH - full));
  }
  if (current !== undefined) parts.push(escapeText(current));
  return fitText(parts.join('  '), terminalWidth - 1);
}
