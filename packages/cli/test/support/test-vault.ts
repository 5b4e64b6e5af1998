import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runMain, type MainEnded, type MainOptions, parseLines } from './run-main.ts';

/** The same tests run a second time with an agent that has the vault open: see vitest.config.ts. */
export const hasAgent: boolean = process.env['COFFER_TEST_AGENT'] === '1';

// The sockets of tests are not among those of whoever runs them.
const runtime = mkdtempSync(join(tmpdir(), 'coffer-cli-run-'));
process.env['XDG_RUNTIME_DIR'] = runtime;
// It goes with this process, however that ends: then the standard input of what removes it ends.
spawn('sh', ['-c', 'cat; exec rm -rf "$0"', runtime], {
  stdio: ['pipe', 'ignore', 'ignore'],
  detached: true,
}).unref();

/** A vault in a temporary folder that opens with a key file, which costs no Argon2id. */
export class TestVault implements Disposable {
  readonly folder: string;
  /** The environment that names the vault and its key. */
  readonly env: Readonly<Record<string, string>>;

  readonly #agents = new Set<number>();

  private constructor(folder: string) {
    this.folder = folder;
    this.env = { COFFER_VAULT: join(folder, 'vault'), COFFER_KEYFILE: join(folder, 'key') };
  }

  static async create(): Promise<TestVault> {
    const vault = new TestVault(mkdtempSync(join(tmpdir(), 'coffer-cli-')));
    const { code, stderr } = await vault.run(['init']);
    if (code !== 0) throw new Error(stderr);
    if (hasAgent) await vault.unlock();
    return vault;
  }

  /** Starts an agent, a process of its own, for the vault; it goes with the vault, or by itself when the tests are killed. Returns its process id. */
  async unlock(...options: readonly string[]): Promise<number> {
    const { code, stdout, stderr } = await this.run(['unlock', '--json', '--for', '20min', ...options]);
    if (code !== 0) throw new Error(stderr);
    const pid = Number(parseLines(stdout)[0]?.['pid']);
    this.#agents.add(pid);
    return pid;
  }

  /** A path beside the vault. */
  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  async run(args: readonly string[], options: MainOptions = {}): Promise<MainEnded> {
    return await runMain(args, { ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs with --json and returns the objects of stdout. */
  async json(args: readonly string[], options: MainOptions = {}): Promise<Record<string, unknown>[]> {
    return parseLines((await this.run([...args, '--json'], options)).stdout);
  }

  /** Adds content under a path of the vault. */
  async put(path: string, content: string | Uint8Array): Promise<void> {
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? [] : ['--folder', path.slice(0, slash)];
    const { code, stderr } = await this.run(['add', '-', '--name', path.slice(slash + 1), ...folder], {
      input: content,
    });
    if (code !== 0) throw new Error(stderr);
  }

  /** The names in the folder of sealed files. */
  sealedNames(): string[] {
    return readdirSync(join(this.folder, 'vault', 'files'));
  }

  [Symbol.dispose](): void {
    for (const pid of this.#agents) endProcess(pid);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
