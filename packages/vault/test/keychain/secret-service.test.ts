import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSecretServiceLocked, sessionBusPath } from '../../src/keychain/secret-service.ts';
import { TestFolder } from '../support.ts';
import { TestKeyring, missingForKeyring } from './test-keyring.ts';
import { Keychain } from '../../src/keychain/keychain.ts';

const ITEM = { service: 'coffer', username: 'an item' };

test.each([
  [{ DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus' }, '/run/user/1000/bus'],
  [{ DBUS_SESSION_BUS_ADDRESS: 'unix:guid=0a,path=/run/a%20b/bus,x=y' }, '/run/a b/bus'],
  [{ DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=/tmp/dbus-1,guid=0a' }, '\0/tmp/dbus-1'],
  [{ DBUS_SESSION_BUS_ADDRESS: 'tcp:host=localhost,port=1;unix:path=/second' }, '/second'],
  [{ DBUS_SESSION_BUS_ADDRESS: 'tcp:host=localhost,port=1' }, undefined],
  [{ XDG_RUNTIME_DIR: '/run/user/1000' }, '/run/user/1000/bus'],
  [{}, undefined],
])('the session bus of %j is found where D-Bus says that it is', (env, path) => {
  expect(sessionBusPath(env)).toBe(path);
});

describe.skipIf(missingForKeyring.length > 0)(
  `a real gnome-keyring (missing: ${missingForKeyring.join(', ') || 'nothing'})`,
  () => {
    test('is said to be locked while it is, for an item that is there and for a new one', async () => {
      await using keyring = await TestKeyring.start({ isSilent: true });
      using keychain = new Keychain();
      await keychain.set(ITEM.username, new Uint8Array(8));
      for (const username of [ITEM.username, 'another']) {
        const item = { ...ITEM, username };
        expect(await isSecretServiceLocked(item, keyring.env)).toBe(false);
        keyring.lock();
        expect(await isSecretServiceLocked(item, keyring.env)).toBe(true);
        await keyring.startDaemon();
      }
      expect(keyring.hasAsked).toBe(false);
    });

    test('that does not run, on a bus or without one, is not locked', async () => {
      await using keyring = await TestKeyring.start({ daemon: false });
      expect(await isSecretServiceLocked(ITEM, keyring.env)).toBe(false);
      expect(await isSecretServiceLocked(ITEM, {})).toBe(false);
    });
  },
);

test.skipIf(process.platform === 'win32').each([
  ['ends the connection', (socket: Socket) => socket.end()],
  ['refuses', (socket: Socket) => socket.write('REJECTED EXTERNAL\r\n')],
  ['says what is no message', (socket: Socket) => socket.write(`OK 0a\r\n${'x'.repeat(64)}`)],
  [
    'announces more than there may be',
    (socket: Socket) => socket.write(`OK 0a\r\nl\x02\0\x01${'\x7f'.repeat(12)}`),
  ],
  ['never ends a line', (socket: Socket) => socket.write('x'.repeat(2 * 1024 * 1024))],
])('a bus that %s is one of which nothing can be told', async (_name, answer) => {
  await using folder = await TestFolder.make();
  const path = join(folder.path, 'bus');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    expect(await isSecretServiceLocked(ITEM, { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` })).toBe(false);
  } finally {
    server.close();
  }
});
