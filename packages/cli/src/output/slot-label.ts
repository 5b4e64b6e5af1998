import { escapeText } from './escape.ts';

/** A slot's label as it is shown: it is the person's own text, from a file that others may have written. */
export function slotLabel(label: string | undefined): string {
  return label === undefined ? '' : escapeText(label);
}
