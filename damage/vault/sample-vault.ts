import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SEALED_FILE, sealFile } from '../../packages/crypto/src/index.ts';
import type { SecretKey } from '../../packages/crypto/src/index.ts';
import { fileIdToBytes, openDatabase, parseFileId } from '../../packages/database/src/index.ts';
import { FileStorage, StorageKeys } from '../../packages/storage/src/index.ts';
import { createKeyfile, createVault, openVault, vaultPaths } from '../../packages/vault/src/index.ts';
import type { SlotSecret, Vault, VaultPaths } from '../../packages/vault/src/index.ts';
// Nobody else has a use for the root key. Here it makes sealed files and headers that are authentic and still not what belongs there.
import { readVaultFile } from '../../packages/vault/src/vault-file/read.ts';
import { unlockVaultFile } from '../../packages/vault/src/vault-file/unlock.ts';
import { FolderSnapshot } from './folder-snapshot.ts';
import { seededBytes } from './seeded.ts';

/** Segments of 4 KiB, the smallest of the format, so that a file of several is small. */
const SMALL_SEGMENT_LOG2 = SEALED_FILE.MIN_SEGMENT_SIZE_LOG2;

export interface SampleFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly id: string;
  /** Of a sealed file, its name in the vault's folder. */
  readonly sealedName: string | undefined;
  readonly segmentSizeLog2: number;
}

interface Wanted {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sealed: boolean;
  readonly small?: boolean;
}

/** Of equal size two by two, so that segments and files can change places without their length telling. */
const FILES: readonly Wanted[] = [
  { path: 'letter.txt', sizeBytes: 900, sealed: false },
  { path: 'empty', sizeBytes: 0, sealed: false },
  { path: 'pictures/small.bin', sizeBytes: 20_000, sealed: false },
  { path: 'pictures/one.bin', sizeBytes: 2 * 4096 + 100, sealed: true, small: true },
  { path: 'pictures/two.bin', sizeBytes: 2 * 4096 + 100, sealed: true, small: true },
  { path: 'nothing sealed', sizeBytes: 0, sealed: true },
  { path: 'usual.bin', sizeBytes: 300_000, sealed: true },
];

interface MadeVault {
  readonly secret: SlotSecret;
  readonly rootKey: SecretKey;
  readonly files: readonly SampleFile[];
  readonly olderVaultFile: Buffer;
}

/** A real vault of a few small files, closed, that can be damaged and put back as it was. */
export class SampleVault implements Disposable {
  readonly root: string;
  readonly paths: VaultPaths;
  readonly secret: SlotSecret;
  readonly files: readonly SampleFile[];
  readonly snapshot: FolderSnapshot;
  readonly rootKey: SecretKey;
  /** `vault.json` as it was before its second slot. */
  readonly olderVaultFile: Buffer;

  private constructor(root: string, made: MadeVault) {
    const { secret, rootKey, files, olderVaultFile } = made;
    this.root = root;
    this.olderVaultFile = olderVaultFile;
    this.paths = vaultPaths(join(root, 'vault'));
    this.secret = secret;
    this.rootKey = rootKey;
    this.files = files;
    this.snapshot = new FolderSnapshot(this.paths.directory);
  }

  static async make(seed = 1): Promise<SampleVault> {
    // In memory where that is possible: every case writes files and syncs them.
    const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'coffer-damage-'));
    const secret: SlotSecret = { kind: 'keyfile', path: join(root, 'key') };
    await createKeyfile(secret.path);
    const directory = join(root, 'vault');
    const vault = await createVault({ directory, secret });
    const olderVaultFile = readFileSync(join(directory, 'vault.json'));
    const second: SlotSecret = { kind: 'keyfile', path: join(root, 'second key') };
    await createKeyfile(second.path);
    await vault.addSlot(second);
    await vault.close();
    const { rootKey } = await unlockVaultFile(await readVaultFile(vaultPaths(directory)), secret);
    const files = await fill(directory, rootKey, seed);
    return new SampleVault(root, { secret, rootKey, files, olderVaultFile });
  }

  open(): Promise<Vault> {
    return openVault({ directory: this.paths.directory, secret: this.secret });
  }

  file(path: string): SampleFile {
    const found = this.files.find((file) => file.path === path);
    if (found === undefined) throw new Error(`the sample vault has no ${path}`);
    return found;
  }

  /** The path of a sealed file on disk. */
  sealedPath(file: SampleFile): string {
    return join(this.paths.directory, sealedNameOf(file));
  }

  sealedBytes(file: SampleFile): Buffer {
    return this.snapshot.bytes(sealedNameOf(file));
  }

  [Symbol.dispose](): void {
    this.rootKey[Symbol.dispose]();
    rmSync(this.root, { recursive: true, force: true });
  }
}

function sealedNameOf({ path, sealedName }: SampleFile): string {
  if (sealedName === undefined) throw new Error(`${path} is not sealed`);
  return sealedName;
}

async function fill(directory: string, rootKey: SecretKey, seed: number): Promise<SampleFile[]> {
  using databaseKey = rootKey.derive('coffer/database/v1');
  using keys = StorageKeys.derive(rootKey);
  using database = openDatabase({ path: join(directory, 'data.db'), key: databaseKey.exportBytes() });
  const files: SampleFile[] = [];
  for (const [index, { path, sizeBytes, sealed, small = false }] of FILES.entries()) {
    const content = seededBytes(sizeBytes, seed * 1000 + index);
    const thresholdBytes = sealed ? 0 : sizeBytes + 1;
    const { storage } = await FileStorage.open({
      directory,
      database,
      keys,
      databaseKey: () => databaseKey.exportBytes(),
      thresholdBytes,
    });
    const slash = path.lastIndexOf('/');
    const { id } = await storage.saveFile(content, {
      name: path.slice(slash + 1),
      folder: path.slice(0, Math.max(0, slash)),
      tags: ['sample'],
    });
    await storage.close();
    const segmentSizeLog2 = small ? SMALL_SEGMENT_LOG2 : SEALED_FILE.SEGMENT_SIZE_LOG2;
    if (small) {
      const header = {
        fileId: fileIdToBytes(parseFileId(id)),
        keyEpoch: keys.currentEpoch,
        sequence: 1n,
        segmentSizeLog2,
      };
      writeFileSync(
        join(directory, 'files', `${id}.enc`),
        sealFile(keys.get(keys.currentEpoch), header, content),
      );
    }
    files.push({ path, content, id, sealedName: sealed ? `files/${id}.enc` : undefined, segmentSizeLog2 });
  }
  return files;
}
