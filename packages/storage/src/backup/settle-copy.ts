import type { CofferDatabase } from '@coffer/database';
import { SHREDDING, UNCLEAN } from '../storage-context.ts';

/**
 * Makes the copy of a database say what is true of a copy of its files: nothing is begun, and nothing is left of what was deleted. `VACUUM` has written its
 * rows anew, so that there is nothing of deleted ones in it either.
 */
export function settleCopy(database: CofferDatabase): void {
  database.transaction(() => {
    for (const { id } of database.tombstones.list()) database.tombstones.remove(id);
    for (const setting of [UNCLEAN, SHREDDING]) database.settings.remove(setting);
  });
}
