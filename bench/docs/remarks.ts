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
stage that was interrupted in favour of another thread counts the interruption; waiting for another thread is left out. Writing and syncing run beside, in threads without JavaScript.`,
  'small-files': `One by one: each file is durable before the next one begins. The bare loops are the driver with the same pragmas and checkpoints at the same size of the WAL;
"same tables" writes the row that Coffer writes, "one table" only an id and the bytes. From a folder: all are durable at the end; \`cp\`, gocryptfs, restic and rclone
are followed by one \`sync\` of the file system.`,
  list: `Files of 64 bytes, 1,000 to a folder. Listing in an open vault gives all metadata with tags; pages are found by key. \`ls\` and \`find\` look at the same files,
unencrypted, in the cache of the file system: what is compared is whole processes, starting Node.js and opening the vault included.`,
  range: `\`vault.read\` of 1 MiB that begins anywhere, so that it touches five segments of 256 KiB. The sources are sparse files; what is sealed, stored and read is as
large as they seem. "First touch" is the first reading of a place since it was written.`,
  agent: `Whole commands. Files are read and written by the agent itself; what \`cat\` writes goes from the agent through a socket to the command, and from there through a pipe to
a program that throws it away, and what \`add -\` reads the other way: from a program through a pipe to the command, and from there through the socket.`,
  rewrap: `Whole commands; the vault opens with a key file. Each file's header is written and synced twice. The database is small.`,
  startup: `Whole processes. \`node -e 0\` is what Node.js itself takes.`,
  'large-file': `The same as anybody may try: a sparse file, made with \`truncate -s 10G large.bin\`, added, checked and restored by the command. Memory is the peak of the
whole process (VmHWM), the code of Node.js included.`,
  growth: `Each size in a new process; sources are sparse. Rows are inserted through \`@coffer/database\`, in transactions of 10,000.`,
};

/** Why budgets are missed, by the key of the budget; shown only while one is. */
export const REASONS: Readonly<Record<string, string>> = {
  add: `the ceilings keep no order and hash two halves, which is no SHA-256 of the file; their threads run before the time begins, and they commit no row. The one in memory touches no file at all. Runs of one day
have reached from 0.81 to 0.90 of the one with files, by how soon the disk takes what is written (ADR 26).`,
  get: `starting Node.js, loading the code and opening the vault take 0.2 s of the whole command, where the library needs 0.9 s for the file. age needs two thirds of the CPU time: it does not hash the content.`,
  range: `the median is within the budget. Of a reader that keeps every piece, each reading leaves 1 MiB to the garbage collector, which takes 10 ms now and then; \`coffer cat\` and this benchmark use each piece before they ask for the next.`,
  memory: `many small files: up to 134 MB are V8's nursery, which grows to its limit because each file leaves some 90 KB of garbage, a third of it from telling its type; 32 MiB are SQLite's page cache. \`node --max-semi-space-size=8\` brings
the peak to 220 MB at the same speed, but a library does not set its host's flags. Smaller batches and a cache of 8 MiB were tried: 300 MB. 10,000 files of 4 KB, by the command, stay at 269 MB.`,
  put: `\`@coffer/database\` itself comes near the bare loop into the same tables; \`saveFile\` adds asynchronous steps, the type of the content (12 µs and 42 KB of garbage, of 70 µs in all; keeping the parser of its library changes nothing) and its hash. The plain table
has one page to write where ours, with a path index, has several.`,
  agent: `\`add -\` and \`cat\` send every byte through a pipe and a socket, and both ends share two cores with the threads that seal and open.`,
  list: `half of the time of a whole listing goes into looking up tags by id and into writing hashes as hexadecimal digits, not into the query.`,
};
