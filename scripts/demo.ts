/** Puts examples/ into a vault and takes them out again, with the real command line, and looks at what is on the disk meanwhile. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import process from 'node:process';
import { styleText } from 'node:util';
import { PlaintextFinder, findNames } from './find-plaintext.ts';

const ROOT = dirname(import.meta.dirname);
const BIN = join(ROOT, 'packages', 'cli', 'src', 'bin.ts');

const startMs = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'coffer-demo-'));
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const vault = join(folder, 'vault');
const passphraseFile = join(folder, 'passphrase.txt');
const environment = { COFFER_VAULT: vault, COFFER_PASSPHRASE_FILE: passphraseFile };
writeFileSync(passphraseFile, 'listen to the halyard on the mast\n', { mode: 0o600 });
writeFileSync(join(folder, 'wrong.txt'), 'listen to the halyard on the mats\n', { mode: 0o600 });

const examples = readFiles(join(ROOT, 'examples'));
cpSync(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true, preserveTimestamps: true });

title('A vault is made');
say(`All of this happens in ${folder}, and is gone at the end.`);
command(`cd ${folder}`);
for (const [name, value] of Object.entries(environment)) command(`export ${name}=${value}`);
coffer('init');

title('Files go in');
say(
  `${String(examples.size)} files: an empty one, a single byte, a picture, a sound, a log of 3 MB, and names that trip programs up.`,
);
coffer('add', '-r', 'examples');

title('There they are');
coffer('ls', '-r', '-l');
coffer('status');
say(
  'Below 102,400 bytes a file is kept in the encrypted database; from there on it is sealed in a file of its own.',
);

title('A part of one, without the rest');
coffer('cat', 'examples/letters/to whoever finds this.txt', '--range', '24-60');
console.log();

title('They come back');
coffer('get', 'examples', '-o', 'restored');
compare(examples, readFiles(join(folder, 'restored', 'examples')));

title('What a thief of the disk would read');
const onDisk = readFiles(vault);
for (const [path, bytes] of onDisk) console.log(`    ${String(bytes.length).padStart(9)}  ${path}`);
searchVault();
coffer({ exits: 12 }, 'ls', '--passphrase-file', 'wrong.txt');
say('Two letters of the passphrase have changed places: nothing opens.');

title('One bit of the disk goes bad');
flipOneBit();
coffer({ exits: 30 }, 'check');
say('It is noticed, and the file is named.');

const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
console.log();
console.log(styleText(['green', 'bold'], `All of it was as it should be, in ${seconds} seconds.`));
say(
  'Now with files of your own: npx -y pnpm@12.21.0 coffer init, then add, ls and get; help tells the rest.',
);

function title(text: string): void {
  console.log(`\n${styleText('bold', text)}`);
}

function say(text: string): void {
  console.log(styleText('dim', `  ${text}`));
}

function command(text: string): void {
  console.log(`  ${styleText('cyan', `$ ${text}`)}`);
}

/** Runs the command line, shows what it says, and ends the demo unless it exits as it should. */
function coffer(...all: readonly (string | { readonly exits: number })[]): void {
  const args = all.filter((part) => typeof part === 'string');
  const expected = all.find((part) => typeof part === 'object')?.exits ?? 0;
  command(`coffer ${args.map((arg) => (/^[\w./=-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')}`);
  const { status, signal } = spawnSync(process.execPath, ['--conditions=@coffer/source', BIN, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== expected)
    fail(`coffer ended with ${String(status ?? signal)} and not with ${String(expected)}`);
  if (expected !== 0) say(`exit code ${String(expected)}`);
}

/** Every file below a folder by its path. */
function readFiles(top: string): Map<string, Uint8Array> {
  if (!existsSync(top)) fail(`there is no ${top}`);
  const entries = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(top, path).split(sep).join('/'), readFileSync(path)]));
}

function compare(before: ReadonlyMap<string, Uint8Array>, after: ReadonlyMap<string, Uint8Array>): void {
  say('SHA-256 of the original and of what came back:');
  for (const [path, bytes] of before) {
    const [was, is] = [sha256(bytes), sha256(after.get(path))];
    if (was !== is) fail(`${path} is not what it was`);
    console.log(`    ${styleText('green', '✓')} ${was.slice(0, 12)} = ${is.slice(0, 12)}  ${path}`);
  }
  if (after.size !== before.size) fail(`${String(after.size)} files came back of ${String(before.size)}`);
}

function sha256(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'missing' : createHash('sha256').update(bytes).digest('hex');
}

function searchVault(): void {
  const finder = new PlaintextFinder(examples);
  const names = [...new Set([...examples.keys()].flatMap((path) => path.split('/')))];
  let sizeBytes = 0;
  for (const [path, bytes] of onDisk) {
    sizeBytes += bytes.length;
    for (const { source } of finder.find(bytes)) fail(`${path} holds a piece of ${source}`);
    for (const name of findNames(bytes, names)) fail(`${path} holds the name ${name}`);
    for (const name of findNames(Buffer.from(path), names)) fail(`${path} is called after ${name}`);
  }
  const count = (number: number) => number.toLocaleString('en-US');
  say(
    `Looked through all ${count(sizeBytes)} bytes for ${count(finder.pieceCount)} pieces of the examples, ` +
      `and for their ${count(names.length)} names: none is there.`,
  );

  // A search that finds nothing is worth as much as what it finds where there is something.
  const sought = examples.size - finder.tooShort.length;
  const seen = [...examples].filter(([path, bytes]) =>
    finder.find(bytes).some(({ source }) => source === path),
  );
  if (seen.length !== sought)
    fail(`the search finds only ${String(seen.length)} of ${String(sought)} files in the originals`);
  say(
    `The same search in the originals finds all ${count(sought)} that are long enough to be told from chance ` +
      `(${finder.tooShort.map((path) => basename(path)).join(' and ')}: too short).`,
  );
}

function flipOneBit(): void {
  const [path = fail('no file was sealed')] = [...onDisk.keys()].filter((name) => name.endsWith('.enc'));
  const file = join(vault, path);
  const bytes = readFileSync(file);
  const place = Math.floor(statSync(file).size / 2);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
  writeFileSync(file, bytes);
  say(`Bit 4 of byte ${place.toLocaleString('en-US')} of ${path} is turned round.`);
}

function fail(problem: string): never {
  console.error(styleText(['red', 'bold'], `\n  That is not right: ${problem}.`));
  process.exit(1);
}
