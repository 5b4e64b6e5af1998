import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { ProtocolError } from './protocol-error.ts';

export const PROTOCOL_VERSION = 1;

/** The first frame of a client. `protocol` and `release` are in that of every version to come. */
export interface ClientHello {
  readonly protocol: number;
  /** The version of this package: methods and their arguments are those of one release. */
  readonly release: string;
}

/** The first frame of an owner. `protocol`, `release` and `pid` are in that of every version to come. */
export interface OwnerHello extends ClientHello {
  readonly pid: number;
  readonly directory: string;
  readonly vaultId: string;
  /** Of the vault's folder, as the owner opened it: another one may have taken its path since. */
  readonly folderIdentity: string;
  /** What every client should say, not only who had the vault opened. */
  readonly warnings: readonly string[];
}

const text = v.pipe(v.string(), v.maxLength(65_536));
const anyVersion = {
  protocol: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  release: v.pipe(v.string(), v.maxLength(256)),
};
const clientSchema = v.object(anyVersion);
const strangerSchema = v.object({ ...anyVersion, pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });
const ownerSchema = v.object({
  ...strangerSchema.entries,
  directory: text,
  vaultId: text,
  folderIdentity: text,
  warnings: v.pipe(v.array(text), v.maxLength(1000)),
});

/** Throws `ProtocolError`. */
export function parseClientHello(value: unknown): ClientHello {
  if (v.is(clientSchema, value)) return value;
  throw new ProtocolError('the first frame is not a hello');
}

/** What an owner says; of another version only what all of them say. Throws `ProtocolError`. */
export function parseOwnerHello(value: unknown): OwnerHello | (ClientHello & { readonly pid: number }) {
  if (v.is(ownerSchema, value) && isSameVersion(value)) return value;
  if (v.is(strangerSchema, value))
    return { protocol: value.protocol, release: value.release, pid: value.pid };
  throw new ProtocolError('the first frame is not a hello');
}

export function isSameVersion({ protocol, release }: ClientHello): boolean {
  return protocol === PROTOCOL_VERSION && release === releaseOfThisPackage();
}

let known: string | undefined;

/** The version in package.json, which is beside `src` and `dist` alike. */
export function releaseOfThisPackage(): string {
  known ??= readRelease();
  return known;
}

function readRelease(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return v.parse(v.object({ version: v.string() }), manifest).version;
}
