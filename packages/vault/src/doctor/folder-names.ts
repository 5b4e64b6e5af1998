/** What Coffer puts into the folder of a vault, or of a backup of one. */
const OWN: ReadonlySet<string> = new Set([
  'vault.json',
  'vault.json.bak',
  'owner.lock',
  'data.db',
  'data.db-wal',
  'data.db-shm',
  'data.db-journal',
  'data.db.reserve',
  'data.db.damaged',
  'data.db.damaged-wal',
  'files',
  'quarantine',
  'init.unfinished',
  'restore.unfinished',
  'backup.json',
  'backup.next',
  'backup.commit',
]);

/** New content of a file under a temporary name: of use only to the process that was writing it. */
const LEFT_OVER =
  /^(?:vault\.json(?:\.bak)?\.tmp|backup\.json\.tmp|data\.db(?:\.rekey|\.rebuilt)?\.new(?:-wal|-journal)?|importing)$/;

/** What becomes of it is for opening to decide: the new database of a change of key or of a rebuilding, a second name of the old one, and the copy that a check reads. */
const UNDECIDED: readonly string[] = [
  'data.db.rekey',
  'data.db.replaced',
  'data.db.rebuilt',
  'data.db.check',
];

/** Examined where what is in them is: each has findings of its own. */
const EXAMINED: readonly string[] = ['data.db', 'vault.json', 'vault.json.bak', 'owner.lock', 'files'];

const FOLDERS: readonly string[] = ['quarantine', 'backup.next', 'backup.commit', 'importing'];

/** What Coffer makes under a name; `undefined` for a name that is not ours, or whose place is examined with what is in it. */
export function placeOf(name: string): 'file' | 'folder' | undefined {
  if (FOLDERS.includes(name)) return 'folder';
  return isOwnName(name) && !EXAMINED.includes(name) ? 'file' : undefined;
}

function isUndecidedName(name: string): boolean {
  return UNDECIDED.some((each) => name.startsWith(each));
}

export function isLeftOverName(name: string): boolean {
  return LEFT_OVER.test(name);
}

/** Whether Coffer puts something under this name. */
export function isOwnName(name: string): boolean {
  return OWN.has(name) || isUndecidedName(name) || isLeftOverName(name);
}

/** Whether something else has put it there. Hidden names are the business of file systems and desktops. */
export function isForeignName(name: string): boolean {
  return !isOwnName(name) && !name.startsWith('.') && name !== 'lost+found';
}
