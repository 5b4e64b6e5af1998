/** What is said about each benchmark. No figure is written here: figures come from the results. */
export const REMARKS: Readonly<Record<string, string>> = {
  'seal-1g': `Random bytes, read from the page cache, until the sealed file is durable. Coffer authenticates every segment, hashes the whole content and commits a
row. Of the others restic hashes the content as well; age, gpg, gocryptfs, rclone and Python Fernet authenticate only, and openssl enc does neither. "library" is the call in a new process that has opened its vault; starting the threads is in its time. "command" is
the whole \`coffer add\`: starting Node.js, opening and closing the vault. Peers are whole processes too. The ceilings are what \`node:crypto\` allows in two threads
that share nothing and keep no order.`,
  'read-1g': `Until the copy is durable. Coffer authenticates each segment and holds the whole against its SHA-256 before the name appears. What every program wrote in
its first run was compared with the source. \`cp\` copies inside the kernel.`,
  ceiling: `The primitives of \`node:crypto\` by themselves, and how they add up on two cores.`,
  profile: `First each stage by itself, on one thread; then a profile of every thread while a file is added. Times of the profile are by the clock of each thread, so a
stage that was interrupted in favour of another thread counts the interruption; waiting for another thread is left out. Syncing runs beside, in threads without JavaScript.`,
  'small-files': `One by one: each file is durable before the next one begins. The bare loops are the driver with the same pragmas and checkpoints at the same size of the WAL;
"same tables" writes the row that Coffer writes, "one table" only an id and the bytes. From a folder: all are durable at the end; \`cp\`, gocryptfs, restic and rclone
are followed by one \`sync\` of the file system.`,
  list: `Files of 64 bytes, 1,000 to a folder. Listing in an open vault gives all metadata with tags; pages are found by key. \`ls\` and \`find\` look at the same files,
unencrypted, in the cache of the file system: what is compared is whole processes, starting Node.js and opening the vault included.`,
  range: `\`vault.read\` of 1 MiB that begins anywhere, so that it touches five segments of 256 KiB. The sources are sparse files; what is sealed, stored and read is as
large as they seem. "First touch" is the first reading of a place since it was written.`,
  startup: `Whole processes. \`node -e 0\` is what Node.js itself takes.`,
  'large-file': `The same as anybody may try: a sparse file, made with \`truncate -s 10G large.bin\`, added, checked and restored by the command. Memory is the peak of the
whole process (VmHWM), the code of Node.js included.`,
  growth: `Each size in a new process; sources are sparse. Rows are inserted through \`@coffer/database\`, in transactions of 10,000.`,
};

/** Why budgets are missed, by the key of the budget; shown only while one is. */
export const REASONS: Readonly<Record<string, string>> = {};
