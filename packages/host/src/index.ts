export { createLocalClient } from './local-client.ts';
export type { VaultClient } from './vault-client.ts';
