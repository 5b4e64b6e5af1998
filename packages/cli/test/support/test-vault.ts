import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMain, type MainEnded, type MainOptions, parseLines } from './run-main.ts';

/** A vault in a temporary folder that opens with a key file, which costs no Argon2id. */
export class TestVault implements Disposable {
  readonly folder: string;
  /** The environment that names the vault and its key. */
  readonly env: Readonly<Record<string, string>>;

  private constructor(folder: string) {
    this.folder = folder;
    this.env = { COFFER_VAULT: join(folder, 'vault'), COFFER_KEYFILE: join(folder, 'key') };
  }

  static async create(): Promise<TestVault> {
    const vault = new TestVault(mkdtempSync(join(tmpdir(), 'coffer-cli-')));
    const { code, stderr } = await vault.run(['init']);
    if (code !== 0) throw new Error(stderr);
    return vault;
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
    rmSync(this.folder, { recursive: true, force: true });
  }
}
