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
  /^(?:vault\.json(?:\.bak)?\.tmp|backup\.json\.tmp|data\.db(?:\.rekey)?\.new(?:-wal|-journal)?|importing)$/;

/** Of a change of the database's key, and what becomes of it is for opening to decide: the new database, and a second name of the old one. */
const UNDECIDED: readonly string[] = ['data.db.rekey', 'data.db.replaced'];

export function isLeftOverName(name: string): boolean {
  return LEFT_OVER.test(name);
}

/** Whether something else has put it there. Hidden names are the business of file systems and desktops. */
export function isForeignName(name: string): boolean {
  return (
    !OWN.has(name) &&
    !UNDECIDED.some((each) => name.startsWith(each)) &&
    !isLeftOverName(name) &&
    !name.startsWith('.') &&
    name !== 'lost+found'
  );
}
