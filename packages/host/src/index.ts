export { startAgent } from './agent/start-agent.ts';
export type { AgentState } from './agent/agent-methods.ts';
export type { Limits } from './agent/limits.ts';
export type { StartMessage } from './agent/start-message.ts';
export { MAX_TIME_MS } from './agent/agent-methods.ts';
export { connectToAgent, lockAgent } from './connect/agent-client.ts';
export type { AgentClient } from './connect/agent-client.ts';
export { createLocalClient } from './local-client.ts';
export type { VaultClient } from './vault-client.ts';
