#!/usr/bin/env node
// The database driver crashes the process on an older Node.js, so check before anything else is loaded.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 11)) {
  console.error(`coffer: error: coffer needs Node.js 24.11 or newer; this is ${process.version}`);
  process.exit(1);
}

// A bug, wherever it is thrown: one line, as for every other error, and the stack only for who asks with -v.
process.on('uncaughtException', (error) => {
  console.error(
    `coffer: error: ${process.argv.includes('-v') ? (error.stack ?? error.message) : error.message}`,
  );
  process.exit(1);
});

const [{ main }, { createProcessHost }] = await Promise.all([
  import('./main.ts'),
  import('./process-host.ts'),
]);
// Everything has been written and the vault is closed: nothing that stays open (a pipe nobody ends) may hold the process.
process.exit(await main(process.argv.slice(2), createProcessHost()));

export {};
