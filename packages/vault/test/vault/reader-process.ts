import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { SlotSecret } from '../../src/index.ts';

/** Another process that opens a vault, says what it holds, and keeps it open until it is killed. */
export class ReaderProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  /** `user` is whom it becomes before it opens anything. */
  constructor(directory: string, secret: SlotSecret, user?: number) {
    const path = join(import.meta.dirname, 'reader-child.ts');
    const keyfile = secret.kind === 'keyfile' ? secret.path : '';
    const args = [directory, keyfile, ...(user === undefined ? [] : [String(user)])];
    this.#child = spawn(process.execPath, ['--conditions=@coffer/source', path, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'close');
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the process has no output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    onTestFinished(() => this.kill());
  }

  /** The next line that it says; `undefined` when it has ended. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  /** With SIGKILL, and waits for its end. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
