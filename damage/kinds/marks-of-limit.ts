import type { Marks } from '../tally.ts';
import { isFound, isRefused } from './closed-case.ts';
import type { Encounter } from './closed-case.ts';

/** `detected` is what it is. Everything else is asked as everywhere. */
export function marksOfLimit(met: Encounter): Marks {
  const { refusal, seen } = met;
  if (refusal !== undefined) return isRefused(met, 'data.db');
  const refused = [...(seen?.files ?? [])].filter(([, { outcome }]) => outcome === 'refused');
  const isFoundAtAll = (seen?.findings.length ?? 0) > 0;
  return {
    ...isFound(met, []),
    detected: isFoundAtAll,
    named: refused.every(
      ([path]) => path === 'letter.txt' || seen?.findings.some((each) => each.path === path),
    ),
    advised: seen?.findings.every(({ remedy }) => remedy !== '') === true,
    othersIntact: refused.every(([path]) => path === 'letter.txt'),
  };
}
