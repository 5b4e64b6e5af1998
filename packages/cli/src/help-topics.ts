import { CLI_ERROR_EXITS } from './cli-error.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { RecordType } from './output/output.ts';
import { VAULT_ERROR_EXITS } from './vault-error-exits.ts';

/** The topics of `coffer help TOPIC`, beside the commands. */
export const HELP_TOPICS = ['exit-codes', 'json', 'environment'] as const;
export type HelpTopic = (typeof HELP_TOPICS)[number];

interface HelpEntry {
  readonly name: string;
  readonly meaning: string;
}

export interface HelpText {
  readonly title: string;
  readonly introduction: string;
  readonly entries: readonly HelpEntry[];
}

const VARIABLES: readonly HelpEntry[] = [
  { name: 'COFFER_VAULT', meaning: 'the folder of the vault, when --vault is not given' },
  {
    name: 'COFFER_PASSPHRASE_FILE',
    meaning: 'a file that holds the passphrase, when no option gives a secret',
  },
  { name: 'COFFER_KEYFILE', meaning: 'a key file that opens the vault, when no option gives a secret' },
  {
    name: 'CI',
    meaning: 'when set (and not to 0 or false), nobody is asked: exit 4 where an answer is needed',
  },
  { name: 'NO_COLOR', meaning: 'when set, no colour (https://no-color.org); --color has the last word' },
  { name: 'FORCE_COLOR', meaning: 'when set (and not to 0), colour in pipes as well' },
  { name: 'TERM', meaning: 'no colour and no progress bar when it is dumb' },
  {
    name: 'XDG_DATA_HOME',
    meaning:
      'holds the default vault, coffer, on Linux (else ~/.local/share); macOS: ~/Library/Application Support',
  },
  {
    name: 'XDG_RUNTIME_DIR',
    meaning: 'holds the sockets of agents, in coffer; without it /run/user or the temporary folder',
  },
  { name: 'APPDATA', meaning: 'holds the default vault, coffer, on Windows' },
];

const FILE_FIELDS =
  'id, name, folder, path, sizeBytes, sha256, mimeType, placement (blob or sealed), condition (ok, missing or damaged), damagedSinceMs (when that was first noticed), ' +
  'createdAtMs, modifiedAtMs, tags; from add and import also source, replaced and notes (unverified, no-time, renamed), from get and export also destination, from rm --shred also shredded, and from export kept: true for what was there already, from quarantine adopt quarantined, and from backup action (copied, updated or removed; for removed only id and sizeBytes with it). With planned: true (--dry-run) it says ' +
  'what would happen; from add and import it then has source, path and sizeBytes only';

const RECORDS: Readonly<Record<RecordType, string>> = {
  file: `${FILE_FIELDS}. stdout`,
  folder: 'path, name, fileCount, sizeBytes (all below it counted). stdout, from ls and info',
  rebuilt:
    'rebuilt (false when nothing was wrong), files, pages, damagedPages (numbers, from 1), keptPath. stdout, from doctor --rebuild, after a file object with action (content lost or renamed), id and path for each file that could not be kept as it was',
  slot: 'id, kind (passphrase, keyfile, keychain or recovery), label, createdAtMs; removed: true from key rm and key rotate; becomes (kept, new code, dropped or secret needed) from key rotate --dry-run. stdout, from init and key',
  keychain:
    'vaultId, slotIds (of the key slots with an item), evidenceCount, here (whether it is the vault of --vault); removed: true with --forget. stdout, from key keychain',
  status:
    'locked (no agent has it open), directory, vaultId, files, sizeBytes, blobFiles, sealedFiles, damagedFiles (known to be), damagedSinceMs (when the first of them was noticed), databaseSizeBytes, slots (how many), keySlots (as the objects of type slot), keyEpoch, keyEpochs (of each: epoch, files), rotation (none, or what an interrupted one still has to do: database, headers or reseal), rollback (none, kept, unknown or behind), schemaVersion, formatVersion; agent (as the object of that type) where one has the vault open; backupMadeAtMs of a backup; readOnly (disk or rights) where it can only be read. Without a secret only locked, directory, vaultId, formatVersion, slots and keySlots. stdout',
  agent: 'pid, sinceMs, untilMs (when it locks the vault at the latest), idleMs. stdout, from unlock',
  paths: 'directory, database, keptDatabase, files, quarantine, vaultFile, vaultFileCopy, ownerLock. stdout',
  finding:
    'code, subject (file, database, slots, folder or machine), item, id, path, message, sinceMs, cost, remedy, mend (a command), fixable (by doctor --fix); from doctor also fixed: true or planned: true. stdout, from check, restore and doctor',
  problem:
    'kind (damaged or failed), path (in files/ or quarantine/), message. stdout, from key rotate: a file that keeps its header',
  quarantined:
    'name, id, sizeBytes (on disk), contentSizeBytes, modifiedAtMs, opens, problem, path (of the file that has its id); dropped: true from quarantine drop. stdout',
  summary:
    'command and its totals: the last line of init, key rotate, lock, add, import, ls, find, get, export, mv, tag, rm, check, backup and restore. stdout',
  version: 'version, node, platform, arch. stdout',
  help: 'topic, title, entries (name, meaning). stdout, from help TOPIC',
  progress:
    'command, bytesDone, bytesTotal, fraction, bytesPerSecond, secondsLeft, filesDone, filesTotal, current; with --progress json, at most 10 a second. stderr',
  warning: 'message. stderr',
  error: 'code, message, hint, candidates, item (of several), exitCode. stderr',
};

/** The text of a topic, made from the tables that the program itself works by. */
export function describeTopic(topic: HelpTopic): HelpText {
  switch (topic) {
    case 'exit-codes':
      return {
        title: 'Exit codes',
        introduction:
          'One item: its own code. Several: 3, or the common code if all of them failed alike. A number never changes its meaning. ' +
          'In brackets: the code of the error object of --json.',
        entries: Object.entries(EXIT_CODES).map(([name, { code, meaning }]) => {
          const codes = errorCodesOf(name);
          return {
            name: String(code),
            meaning: codes.length === 0 ? meaning : `${meaning} [${codes.join(', ')}]`,
          };
        }),
      };
    case 'json':
      return {
        title: '--json',
        introduction:
          'One object a line, each with v: 1 and a type. Fields may be added; what is there keeps its meaning. A field that is not known is ' +
          'left out. The content that cat writes is written as it is.',
        entries: Object.entries(RECORDS).map(([name, meaning]) => ({ name, meaning })),
      };
    case 'environment':
      return {
        title: 'Environment',
        introduction: 'An option has the last word over the environment.',
        entries: VARIABLES,
      };
  }
}

export function isHelpTopic(text: string): text is HelpTopic {
  return (HELP_TOPICS as readonly string[]).includes(text);
}

function errorCodesOf(exitName: string): string[] {
  const codes = Object.entries({ ...CLI_ERROR_EXITS, ...VAULT_ERROR_EXITS }).filter(
    ([, exit]) => exit === exitName,
  );
  return [...new Set(codes.map(([code]) => code))].toSorted();
}
