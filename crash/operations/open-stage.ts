import { openVault } from '../../packages/vault/src/index.ts';
import type { SlotSecret, Vault } from '../../packages/vault/src/index.ts';
import { passphrase, recoveryCode } from '../stage.ts';
import type { Stage } from '../stage.ts';
import { SECRET_NAMES } from './operation.ts';
import type { SecretName } from './operation.ts';

export function secretOf(stage: Stage, name: SecretName): SlotSecret {
  switch (name) {
    case 'owner':
    case 'second':
      return stage.secret(name);
    case 'old passphrase':
      return passphrase('old');
    case 'next passphrase':
      return passphrase('next');
    case 'old code':
      return { kind: 'recovery', code: recoveryCode('old') };
    case 'next code':
      return { kind: 'recovery', code: recoveryCode('next') };
  }
}

export function parseSecretName(name: string): SecretName {
  const known = SECRET_NAMES.find((each) => each === name);
  if (known === undefined) throw new Error(`${name} is not a secret`);
  return known;
}

export async function openStage(stage: Stage, secret: SecretName = 'owner'): Promise<Vault> {
  return await openVault({ directory: stage.vault, secret: secretOf(stage, secret) });
}
