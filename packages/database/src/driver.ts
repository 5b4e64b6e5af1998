import { createRequire } from 'node:module';
import { DatabaseError } from './errors.ts';

/** What a statement takes as a parameter. */
export type SqlValue = string | number | Uint8Array | null;

/** The part of the driver that is used here, with results that are not yet believed. */
export interface DriverStatement {
  run(...parameters: SqlValue[]): { changes: number };
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
}

export interface DriverDatabase {
  readonly inTransaction: boolean;
  readonly open: boolean;
  prepare(sql: string): DriverStatement;
  pragma(source: string): unknown;
  exec(sql: string): unknown;
  key(key: Buffer): number;
  rekey(key: Buffer): number;
  unsafeMode(isOn: boolean): unknown;
  close(): unknown;
}

type DriverConstructor = new (path: string, options: DriverOptions & { timeout: number }) => DriverDatabase;

interface DriverOptions {
  readonly fileMustExist: boolean;
  readonly readonly?: boolean;
}

/** `engines` of this package. */
const MINIMUM_NODE = [24, 11] as const;

let loaded: DriverConstructor | undefined;

/**
 * Opens a connection. The driver is loaded at the first call and not when this package is imported, because on an older Node
 * its binary crashes the process; there this throws `UNSUPPORTED_RUNTIME` instead.
 */
export function openDriver(path: string, options: DriverOptions): DriverDatabase {
  loaded ??= loadDriver();
  return new loaded(path, { ...options, timeout: 0 });
}

/** Throws `UNSUPPORTED_RUNTIME` unless the driver runs on this version of Node. */
export function checkRuntime(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minimumMajor, minimumMinor] = MINIMUM_NODE;
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)) return;
  const needed = MINIMUM_NODE.join('.');
  throw new DatabaseError(
    'UNSUPPORTED_RUNTIME',
    `the database needs Node.js ${needed} or newer, this is ${version}: use a newer Node.js`,
  );
}

function loadDriver(): DriverConstructor {
  checkRuntime();
  try {
    const load = createRequire(import.meta.url);
    return load('better-sqlite3-multiple-ciphers') as typeof import('better-sqlite3-multiple-ciphers');
  } catch (error) {
    const where = `${process.platform} ${process.arch}`;
    throw new DatabaseError('UNSUPPORTED_RUNTIME', `the database driver cannot be loaded on ${where}`, {
      cause: error,
    });
  }
}
