import { backupLines, backupMarker } from './backups.ts';
import { frames } from './frames.ts';
import { messages } from './messages.ts';
import { fernet, header, segment } from './sealed.ts';
import { keyfile, passphrase, recoveryCode } from './secrets.ts';
import type { Target } from './target.ts';
import { imports, names, options } from './texts.ts';
import { vaultFile } from './vault-file.ts';

/** Every parser of bytes from outside. */
export const TARGETS: readonly Target[] = [
  vaultFile,
  header,
  segment,
  fernet,
  keyfile,
  passphrase,
  recoveryCode,
  frames,
  messages,
  options,
  names,
  imports,
  backupMarker,
  backupLines,
];
