/** The table of budgets: what must hold, and how it is measured. Verdicts of the benchmarks name the key. */
export interface Budget {
  readonly key: string;
  readonly what: string;
  readonly budget: string;
  readonly benchmark: string | undefined;
}

export const BUDGETS: readonly Budget[] = [
  {
    key: 'add',
    what: '`add` of 1 GiB',
    budget:
      '≥ 0.9 of the two-core ceiling; ≥ 0.8 of age; ahead of openssl enc, gocryptfs, gpg, restic, rclone crypt and Python Fernet',
    benchmark: 'seal-1g',
  },
  {
    key: 'get',
    what: '`get` of 1 GiB to a file',
    budget: '≥ 1.2 of age; verified before the name appears',
    benchmark: 'read-1g',
  },
  {
    key: 'range',
    what: '1 MiB anywhere in 10 GiB',
    budget: '< 5 ms, warm, in an open vault',
    benchmark: 'range',
  },
  { key: 'memory', what: 'peak memory whatever the size', budget: '< 300 MB', benchmark: 'large-file list' },
  {
    key: 'put',
    what: 'durable put of 4 KB',
    budget: '≥ 0.9 of a bare insert loop',
    benchmark: 'small-files',
  },
  {
    key: 'list',
    what: 'list and search 100,000 files',
    budget: 'first page < 20 ms, whole listing < 300 ms',
    benchmark: 'list',
  },
  {
    key: 'open',
    what: 'open a vault of 100,000 files',
    budget: '< 150 ms, key slot aside',
    benchmark: 'list',
  },
  {
    key: 'startup',
    what: '`coffer --version`, `coffer ls`',
    budget: '< 120 ms, < 300 ms',
    benchmark: 'startup',
  },
  {
    key: 'agent',
    what: 'bulk bytes through an agent',
    budget: '≥ 0.8 of the command without one',
    benchmark: 'agent',
  },
  {
    key: 'rotate',
    what: 'rotate the root key',
    budget: 'time grows with files, not bytes',
    benchmark: 'rewrap',
  },
  {
    key: 'transfer',
    what: 'send and receive between two vaults',
    budget: '≥ 0.5 of the slower of sealing and the bare transport',
    benchmark: undefined,
  },
];
