export { EXIT_CODES, type ExitName } from './exit-codes.ts';
export type { Host, OutputStream, Terminal } from './host.ts';
export { main } from './main.ts';
