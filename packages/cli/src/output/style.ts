import { styleText } from 'node:util';

export type ColorChoice = 'auto' | 'always' | 'never';
type Paint = (text: string) => string;

/** How parts of the human output are painted; every one is the identity when colour is off. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly folder: Paint;
}

export interface StyleOptions {
  readonly color: ColorChoice;
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Colour is on for a terminal, unless NO_COLOR is set (https://no-color.org) or TERM is `dumb`; FORCE_COLOR turns it on
 * and --color has the last word.
 */
export function createStyle(options: StyleOptions): Style {
  const isOn = wantsColor(options);
  const paint = (format: Parameters<typeof styleText>[0]): Paint =>
    isOn ? (text) => styleText(format, text, { validateStream: false }) : (text) => text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    yellow: paint('yellow'),
    green: paint('green'),
    folder: paint(['bold', 'blue']),
  };
}

function wantsColor({ color, isTerminal, env }: StyleOptions): boolean {
  if (color !== 'auto') return color === 'always';
  if (isSet(env['NO_COLOR'])) return false;
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0';
  return isTerminal && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
