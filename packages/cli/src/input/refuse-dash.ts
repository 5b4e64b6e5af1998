import { usageError } from '../cli-error.ts';

/** Refuses `-` where something is written: who types it means stdout, and nobody wants a file of that name. One that exists is `./-`. */
export function refuseDash(path: string | undefined, what: string, hint?: string): void {
  if (path !== '-') return;
  const other = 'what is called - is ./-';
  throw usageError(`${what} can't be written to stdout`, hint === undefined ? other : `${hint}; ${other}`);
}
