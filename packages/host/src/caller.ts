import { parse } from 'node:path';
import process from 'node:process';

/** What the process that asks for something has, and the one that does it may have otherwise. */
export interface Caller {
  /** Absolute: relative paths are taken from here. */
  readonly cwd: string;
  /** What is not that of the process that answers, if that is another one. */
  readonly elsewhere?: {
    readonly pid: number;
    /** Taken from the modes of files and folders that are restored. */
    readonly umask: number;
  };
}

/** This process, for a vault that is open in it. */
export function thisProcess(): Caller {
  return { cwd: currentFolder() };
}

/** This process, for a vault that is open in another one. */
export function thisProcessElsewhere(): Caller {
  // Node can't tell the mask without setting one; nothing runs in between.
  const umask = process.umask(0o077);
  process.umask(umask);
  return { cwd: currentFolder(), elsewhere: { pid: process.pid, umask } };
}

/** The folder that commands are run in. It may have been removed since: what is looked for in it is then not found. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? parse(process.execPath).root;
  }
}
