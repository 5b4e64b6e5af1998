import { DEFAULT_THRESHOLD_BYTES } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import type { AddEvent } from './add-event.ts';
import type { FileAdder, NewFile } from './file-adder.ts';

/** A file to add, or an event that says why something is not one. */
export type AddStep = NewFile | AddEvent;

/** Small files are saved together, up to so many and so many bytes: 10,000 of them are then not 10,000 syncs. */
const BATCH_FILES = 256;
const BATCH_BYTES: number = 8 * 1024 * 1024;

/** Adds what `steps` yields, in its order. Each file is durable before its event is yielded. Throws only `ABORTED`. */
export async function* addSteps(
  adder: FileAdder,
  steps: AsyncIterable<AddStep>,
  signal: AbortSignal | undefined,
): AsyncGenerator<AddEvent, void, undefined> {
  const batch = new Batch();
  for await (const step of steps) {
    throwIfAborted(signal);
    if (isEvent(step) || step.sizeBytes < DEFAULT_THRESHOLD_BYTES) {
      batch.push(step);
      if (batch.isFull) yield* batch.flush(adder);
    } else {
      yield* batch.flush(adder);
      yield await adder.add(step);
    }
  }
  throwIfAborted(signal);
  yield* batch.flush(adder);
}

/** Files to be saved together, among events that keep their place in the order. */
class Batch {
  #steps: AddStep[] = [];
  #sizeBytes = 0;

  get isFull(): boolean {
    return this.#steps.length >= BATCH_FILES || this.#sizeBytes >= BATCH_BYTES;
  }

  push(step: AddStep): void {
    this.#steps.push(step);
    if (!isEvent(step)) this.#sizeBytes += step.sizeBytes;
  }

  async *flush(adder: FileAdder): AsyncGenerator<AddEvent, void, undefined> {
    const steps = this.#steps;
    this.#steps = [];
    this.#sizeBytes = 0;
    const files = steps.filter((step): step is NewFile => !isEvent(step));
    const added = files.length === 0 ? [] : await adder.addTogether(files);
    let next = 0;
    for (const step of steps) {
      const event = isEvent(step) ? step : added[next++];
      if (event !== undefined) yield event;
    }
  }
}

function isEvent(step: AddStep): step is AddEvent {
  return 'type' in step;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new VaultError('ABORTED', 'it was cancelled', { cause: signal.reason });
  }
}
