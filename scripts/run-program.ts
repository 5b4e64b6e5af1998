import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** A registry that does not answer must not hold a check for ever. */
const TIMEOUT_MS = 300_000;

/** What the program prints; throws with all that it said unless it exits with 0 within 5 minutes. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): string {
  // What npm puts on Windows' path are scripts of its shell.
  const shell = process.platform === 'win32' && program !== process.execPath;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    shell,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw new Error(`${program} ${args.join(' ')} could not be run`, { cause: error });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')} exited with ${String(status)}:\n${stdout}${stderr}`);
  }
  return stdout;
}
