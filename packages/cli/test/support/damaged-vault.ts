import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openVault } from '@coffer/vault';
import { COFFER, cleanEnvironment, ended } from './coffer.ts';
import type { Ended } from './coffer.ts';
import { parseLines, runMain } from './run-main.ts';
import type { MainEnded, MainOptions } from './run-main.ts';

/** A vault with a few files, a backup of it and another vault, made once and copied for each test. */
export class DamagedVault implements Disposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async makeTemplate(): Promise<DamagedVault> {
    const made = new DamagedVault(mkdtempSync(join(tmpdir(), 'coffer-damaged-')));
    await made.must(['init']);
    await made.must(['add', '-', '--name', 'small.txt', '--folder', 'my docs'], {
      input: Buffer.alloc(50_000, 'small'),
    });
    await made.must(['add', '-', '--name', "it's large.bin", '--folder', 'my docs'], {
      input: Buffer.alloc(300_000, 'large'),
    });
    await made.must(['add', '-', '--name', 'other.bin'], { input: Buffer.alloc(300_000, 'other') });
    {
      await using vault = await openVault({
        directory: made.vault,
        secret: { kind: 'keyfile', path: made.keyfile },
      });
      for await (const event of vault.backup(made.backup)) if (event.type === 'summary') break;
    }
    await runMain(['init', '--vault', made.path('second'), '--keyfile', made.path('second-key')]);
    mkdirSync(made.path('bin'));
    const words = COFFER.map((word) => `'${word}'`).join(' ');
    writeFileSync(made.path('bin', 'coffer'), `#!/bin/sh\nexec ${words} "$@"\n`);
    chmodSync(made.path('bin', 'coffer'), 0o755);
    return made;
  }

  copy(): DamagedVault {
    const copy = new DamagedVault(mkdtempSync(join(tmpdir(), 'coffer-damaged-')));
    cpSync(this.folder, copy.folder, { recursive: true, preserveTimestamps: true });
    // Copying folders leaves their modes to the umask.
    for (const folder of [copy.vault, copy.backup])
      for (const each of [folder, join(folder, 'files')]) chmodSync(each, 0o700);
    copy.makeWorkFolder();
    return copy;
  }

  /** Where `shell` runs. */
  makeWorkFolder(): void {
    mkdirSync(this.path('cwd'));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  get vault(): string {
    return this.path('vault');
  }

  get backup(): string {
    return this.path('backup');
  }

  /** What a command that mends restores to. */
  get restored(): string {
    return this.path('restored');
  }

  get keyfile(): string {
    return this.path('key');
  }

  get env(): Readonly<Record<string, string>> {
    return { COFFER_VAULT: this.vault, COFFER_KEYFILE: this.keyfile };
  }

  async run(args: readonly string[], options: MainOptions = {}): Promise<MainEnded> {
    return await runMain(args, { ...options, env: { ...this.env, ...options.env } });
  }

  async must(args: readonly string[], options: MainOptions = {}): Promise<void> {
    const { code, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(stderr);
  }

  /** The `finding` objects of a command. */
  async findings(args: readonly string[], options: MainOptions = {}): Promise<Record<string, unknown>[]> {
    const { stdout } = await this.run([...args, '--json'], options);
    return parseLines(stdout).filter(({ type, fixed }) => type === 'finding' && fixed !== true);
  }

  /** Where a file's sealed file is. */
  async sealedPath(item: string): Promise<string> {
    const [file] = parseLines((await this.run(['info', item, '--json'])).stdout);
    return join(this.vault, 'files', `${String(file?.['id'])}.enc`);
  }

  /** Runs a command line in a shell, with \`coffer\` in its path, as somebody would who pastes it. */
  async shell(command: string): Promise<Ended> {
    const path = `${this.path('bin')}:${process.env['PATH'] ?? ''}`;
    const line = command
      .replaceAll('BACKUP', `'${this.backup}'`)
      .replaceAll('RESTORED', `'${this.restored}'`);
    const child = spawn('sh', ['-c', line], {
      cwd: this.path('cwd'),
      env: { ...cleanEnvironment({ ...this.env }), PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return await ended(child);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Flips a bit of a file. */
export function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const at = offset < 0 ? bytes.length + offset : offset;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

export function namesIn(path: string): string[] {
  return readdirSync(path).sort();
}
