import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  FileKey,
  sealSegmentInto,
  sealedSegmentSize,
  segmentOffset,
} from '../../packages/crypto/src/index.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import { interleave, toRow } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import type { Sample } from '../harness/measured-process.ts';
import type { Findings, Row } from '../harness/report.ts';
import { makeRandomFile } from '../harness/sample-data.ts';
import { round } from '../harness/statistics.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { STAGES } from '../profile/stages.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const SEGMENT_SIZE_BYTES = 256 * 1024;

/** Where the time of adding 1 GiB goes: each stage alone on one thread, and all of them together, by a CPU profile of every thread. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = GIB / divisor;
  workspace.requireSpace(4 * sizeBytes);
  const source = workspace.file('source.bin');
  makeRandomFile(source, sizeBytes);
  const alone = await interleave(stageContestants(workspace, source, sizeBytes), rounds);
  const together = await profileAdd(workspace, source, sizeBytes);
  return {
    title: `Where the time of adding ${String(sizeBytes / GIB)} GiB goes`,
    rows: [...alone.rows.map((row) => ({ ...row, group: 'Each stage alone, one thread' })), ...together],
    verdicts: [],
    skipped: alone.failures,
    disturbances: alone.disturbances,
    versions: {},
  };
}

function stageContestants(workspace: Workspace, source: string, sizeBytes: number): Contestant[] {
  const count = Math.ceil(sizeBytes / SEGMENT_SIZE_BYTES);
  const plaintext = new Uint8Array(SEGMENT_SIZE_BYTES);
  const token = new Uint8Array(sealedSegmentSize(SEGMENT_SIZE_BYTES));
  const stage = (name: string, about: string, run: () => Sample): Contestant => ({
    name,
    kind: 'limit',
    about,
    sizeBytes,
    run: () => Promise.resolve(run()),
  });
  const eachSegment = (work: (index: number) => void): Sample =>
    timed(() => {
      for (let index = 0; index < count; index += 1) work(index);
    });
  return [
    stage('read', 'from the page cache, 256 KiB a call', () => {
      const descriptor = openSync(source, 'r');
      const sample = eachSegment((index) =>
        readSync(descriptor, plaintext, 0, SEGMENT_SIZE_BYTES, index * SEGMENT_SIZE_BYTES),
      );
      closeSync(descriptor);
      return sample;
    }),
    stage('hash', 'SHA-256 of the content', () => {
      const hash = createHash('sha256');
      return eachSegment(() => hash.update(plaintext));
    }),
    stage('seal', 'sealSegmentInto: segment key, AES-128-CBC, HMAC-SHA-256', () => {
      using key = FileKey.generate();
      return eachSegment((index) => sealSegmentInto(key, { index, final: false, plaintext }, token));
    }),
    ...['write', 'write and sync'].map((name) =>
      stage(name, name === 'write' ? 'into the page cache' : 'until it is durable', () => {
        const folder = workspace.folder('write');
        const descriptor = openSync(join(folder, 'sealed'), 'wx');
        const sample = timed(() => {
          for (let index = 0; index < count; index += 1)
            writeSync(descriptor, token, 0, token.length, segmentOffset(index));
          if (name !== 'write') fsyncSync(descriptor);
        });
        closeSync(descriptor);
        remove(folder);
        return sample;
      }),
    ),
  ];
}

async function profileAdd(workspace: Workspace, source: string, sizeBytes: number): Promise<Row[]> {
  const vault = await makeVault(workspace);
  const sample = await runTask({ kind: 'add', profile: true, ...vault, paths: [source] });
  const { stages = {} } = sample;
  const total = Object.values(stages).reduce((sum, seconds) => sum + seconds, 0);
  const group = 'All together, by a profile of every thread';
  const rows = STAGES.map(({ name, about }): Row => {
    const seconds = stages[name] ?? 0;
    return {
      name,
      kind: 'coffer',
      about,
      group,
      figures: { threadSeconds: round(seconds), share: round((100 * seconds) / total) },
    };
  });
  const whole = {
    name: 'add, while profiled',
    kind: 'coffer',
    about: 'with the profiler in every thread',
    sizeBytes,
  } as const;
  return [...rows, { ...toRow(whole, [sample]), group: 'The profiled run' }];
}

function timed(work: () => void): Sample {
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  work();
  const elapsedMs = performance.now() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  return { elapsedMs, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
}
