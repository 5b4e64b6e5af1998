import { usageError } from '../cli-error.ts';

/** A share from `5%`, `5` or `0.5%`: more than 0, at most 100. */
export function parsePercent(text: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,6})?) ?%?$/.exec(text) ?? [];
  const percent = Number(digits);
  if (digits === undefined || percent <= 0 || percent > 100) {
    throw usageError(`not a share: ${text}`, 'write it as 5%, more than 0% and at most 100%');
  }
  return percent;
}
