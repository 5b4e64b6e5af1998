import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Whether it is worth asking for a keychain: on Linux only a session that somebody is logged in to has one. Asks nobody. */
export function isKeychainLikely(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (platform === 'darwin' || platform === 'win32') return true;
  if ((env['DBUS_SESSION_BUS_ADDRESS'] ?? '') !== '') return true;
  const runtime = env['XDG_RUNTIME_DIR'] ?? '';
  return runtime !== '' && existsSync(join(runtime, 'bus'));
}
