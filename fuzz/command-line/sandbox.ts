import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runCommandLine } from './run-command-line.ts';

/** A vault that command lines may do anything to, and a folder that they run in. */
export class Sandbox implements Disposable {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Texts that no output may hold. */
  readonly secrets: readonly string[];
  readonly #before: string;

  private constructor(root: string) {
    this.root = root;
    this.#before = process.cwd();
    this.env = {
      HOME: join(root, 'home'),
      XDG_RUNTIME_DIR: join(root, 'runtime'),
      COFFER_VAULT: join(root, 'vault'),
      COFFER_KEYFILE: join(root, 'key'),
    };
    const key = /v1:([0-9a-f]{64})/.exec(readFileSync(join(root, 'key'), 'utf8'))?.[1];
    this.secrets = [key ?? '', 'correct horse battery staple'];
    process.chdir(join(root, 'here', 'below'));
  }

  static async create(): Promise<Sandbox> {
    const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'coffer-argv-'));
    for (const folder of ['here/below', 'home', 'runtime']) {
      mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
    }
    writeFileSync(join(root, 'here/below/a.txt'), 'a');
    mkdirSync(join(root, 'here/below/folder'));
    writeFileSync(join(root, 'here/below/folder/\u001b[2Jb'), Buffer.alloc(120_000, 'b'));
    writeFileSync(join(root, 'here/below/passphrase'), 'correct horse battery staple');
    const env = { COFFER_VAULT: join(root, 'vault'), COFFER_KEYFILE: join(root, 'key') };
    for (const args of [
      ['init'],
      ['add', '-r', join(root, 'here/below/folder')],
      ['add', '-', '--name', 'note'],
    ]) {
      const { code, stderr } = await runCommandLine(args, env);
      if (code !== 0) throw new Error(stderr);
    }
    cpSync(root, `${root}.template`, { recursive: true });
    return new Sandbox(root);
  }

  /** As it was at first. */
  restore(): void {
    process.chdir(this.#before);
    rmSync(this.root, { recursive: true, force: true });
    cpSync(`${this.root}.template`, this.root, { recursive: true });
    process.chdir(join(this.root, 'here', 'below'));
  }

  [Symbol.dispose](): void {
    process.chdir(this.#before);
    for (const path of [this.root, `${this.root}.template`]) rmSync(path, { recursive: true, force: true });
  }
}
