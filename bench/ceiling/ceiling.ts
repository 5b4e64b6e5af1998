import { join } from 'node:path';
import { runProcess } from '../harness/measured-process.ts';
import type { Sample } from '../harness/measured-process.ts';

/** What the primitives do over a whole file: all of them on each core, or one of them on one core. */
export interface CeilingTask {
  readonly work: 'seal' | 'open' | 'sha256' | 'aes-128-cbc' | 'hmac-sha256';
  readonly sizeBytes: number;
  readonly threads: number;
  /** Read from here and write to there; without them the bytes stay in memory. */
  readonly files?: { readonly source: string; readonly target: string };
}

/**
 * The least that could be done: SHA-256, AES-128-CBC and HMAC-SHA-256 by node:crypto over segments of 256 KiB, in threads that share nothing
 * and have no order to keep. Starting the threads is not in the time. With files, each thread reads its half of the source and writes its half of the target
 * past the page cache, while it works on; the target is synced at the end.
 */
export async function measureCeiling(task: CeilingTask): Promise<Sample> {
  const script = join(import.meta.dirname, 'ceiling-child.ts');
  const { stdout } = await runProcess(process.execPath, [script, JSON.stringify(task)]);
  return JSON.parse(stdout) as Sample;
}
