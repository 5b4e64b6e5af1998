import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import type { Output } from '../output/output.ts';

/** `coffer version`. */
export function registerVersion(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('version')
    .summary('show the version')
    .description('Shows the version of coffer. With -v also of the Node.js it runs on.')
    .action(() =>
      run(({ output }) => {
        printVersion(output);
        return Promise.resolve(undefined);
      }),
    );
}

/** Prints the version: as an object with --json, with -v also what it runs on. */
export function printVersion(output: Output): void {
  const version = readVersion();
  const { platform, arch, version: node } = process;
  if (output.json) output.record('version', { version, node, platform, arch });
  else
    output.line(
      output.verbose ? `coffer ${version} (Node.js ${node}, ${platform} ${arch})` : `coffer ${version}`,
    );
}

/** The version in package.json, which is beside `src` and `dist` alike. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
