import * as v from 'valibot';
import { parseWith } from './schema.ts';

/** As this side sees it. */
export type TransferDirection = 'send' | 'receive';

export const TRANSFER_DIRECTIONS: readonly TransferDirection[] = ['send', 'receive'];

const SCHEMA = v.picklist(TRANSFER_DIRECTIONS, 'must be send or receive');

/** Throws `INVALID`. */
export function parseTransferDirection(value: unknown): TransferDirection {
  return parseWith(SCHEMA, 'a transfer direction', value);
}
