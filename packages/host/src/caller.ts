import { parse } from 'node:path';
import process from 'node:process';

/** What the process that asks for something has, and the one that does it may have otherwise. */
export interface Caller {
  /** Absolute: relative paths are taken from here. */
  readonly cwd: string;
  /** Taken from the modes of files and folders that are restored; `undefined` if both are one process. */
  readonly umask: number | undefined;
}

/** This process, for a vault that is open in it. */
export function thisProcess(): Caller {
  return { cwd: currentFolder(), umask: undefined };
}

/** The folder that commands are run in. It may have been removed since: what is looked for in it is then not found. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? parse(process.execPath).root;
  }
}
