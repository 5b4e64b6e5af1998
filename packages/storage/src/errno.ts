/** What the operating system calls an error: `ENOSPC`, for example. In a module of its own, for the threads of the pool: they need nothing of the database. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
