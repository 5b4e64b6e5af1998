/**
 * What must not reach a terminal as it is: control and escape characters, line and paragraph separators, marks that
 * reorder or hide text, halves of surrogate pairs. The joiners and variation selectors that emoji and Persian need stay.
 */
const UNSAFE =
  /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]--\p{Join_Control}--\p{Variation_Selector}]/gv;

/**
 * A stored name as one line of output. Ordinary names come back unchanged; one with unsafe characters is written in
 * the shell's `$'…'` form (`$'two\nlines'`), which bash, zsh and ksh read back as the very same name. A name that itself
 * begins with `$'` is written so too, so that no two names look alike.
 */
export function escapeName(name: string): string {
  if (name.search(UNSAFE) < 0 && !name.startsWith("$'")) return name;
  return `$'${escapeCharacters(name.replaceAll('\\', '\\\\').replaceAll("'", "\\'"))}'`;
}

/** Text that may quote names or foreign data (messages): unsafe characters become `\n`, `\x1b`, `\u202e`. */
export function escapeText(text: string): string {
  return escapeCharacters(text);
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacters(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    // \x takes at most two digits and \u at most four, so what follows is never swallowed.
    return (
      SHORT[character] ??
      (code < 0x80
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : code <= 0xffff
          ? `\\u${code.toString(16).padStart(4, '0')}`
          : `\\U${code.toString(16).padStart(8, '0')}`)
    );
  });
}
