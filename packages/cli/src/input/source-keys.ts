import { usageError } from '../cli-error.ts';
import type { Host } from '../host.ts';
import { readPassphrase } from './read-passphrase.ts';

/** The keys of a vault of the original application, as options name them. */
export interface SourceKeyOptions {
  readonly databaseKeyFile?: string | undefined;
  readonly databaseKeyFd?: number | undefined;
  readonly databasePassphraseFile?: string | undefined;
  readonly databasePassphraseFd?: number | undefined;
  readonly fernetKeyFile?: string | undefined;
  readonly fernetKeyFd?: number | undefined;
}

/** What was read, for `importDiscordopus`. */
export interface SourceKeys extends Disposable {
  readonly secrets: {
    readonly databaseKey?: Uint8Array;
    readonly databasePassphrase?: Uint8Array;
    readonly fernetKey?: Uint8Array;
  };
}

/** The names of the options, for a command that does not take them. */
export const SOURCE_KEY_FLAGS: Readonly<Record<keyof SourceKeyOptions, string>> = {
  databaseKeyFile: '--database-key-file',
  databaseKeyFd: '--database-key-fd',
  databasePassphraseFile: '--database-passphrase-file',
  databasePassphraseFd: '--database-passphrase-fd',
  fernetKeyFile: '--fernet-key-file',
  fernetKeyFd: '--fernet-key-fd',
};

/** Reads the keys; disposing zeroes them. A usage error when the database has no key, or two. */
export async function readSourceKeys(
  options: SourceKeyOptions,
  host: Pick<Host, 'stdin' | 'signal'>,
): Promise<SourceKeys> {
  const given = (
    ['databaseKeyFile', 'databaseKeyFd', 'databasePassphraseFile', 'databasePassphraseFd'] as const
  ).filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    throw usageError(
      given.length === 0
        ? 'data.db of the original application needs its key'
        : `${given.map((name) => SOURCE_KEY_FLAGS[name]).join(' and ')} can't be used together`,
      'give --database-key-file FILE, or --database-passphrase-file FILE if SQLCipher was given a passphrase',
    );
  }
  if (options.fernetKeyFile !== undefined && options.fernetKeyFd !== undefined)
    throw usageError("--fernet-key-file and --fernet-key-fd can't be used together", 'give one of them');
  const read: Uint8Array[] = [];
  const readOne = async (
    file: string | undefined,
    fd: number | undefined,
    what: string,
  ): Promise<Uint8Array | undefined> => {
    if (file === undefined && fd === undefined) return undefined;
    const source =
      file === undefined
        ? { kind: 'passphrase-fd' as const, fd: fd ?? 0 }
        : { kind: 'passphrase-file' as const, path: file };
    const secret = await readPassphrase(source, host, what);
    read.push(secret);
    return secret;
  };
  const databaseKey = await readOne(options.databaseKeyFile, options.databaseKeyFd, 'key');
  const databasePassphrase = await readOne(
    options.databasePassphraseFile,
    options.databasePassphraseFd,
    'passphrase',
  );
  const fernetKey = await readOne(options.fernetKeyFile, options.fernetKeyFd, 'key');
  return {
    secrets: {
      ...(databaseKey === undefined ? {} : { databaseKey }),
      ...(databasePassphrase === undefined ? {} : { databasePassphrase }),
      ...(fernetKey === undefined ? {} : { fernetKey }),
    },
    [Symbol.dispose]() {
      for (const secret of read) secret.fill(0);
    },
  };
}
