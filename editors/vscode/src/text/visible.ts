// Makes what cannot be seen visible. The server escapes already; this is the
// second look, right before something is drawn, and also covers what looks like
// a plain space or like nothing.

/** A piece of text; `escape` is true where it stands for a character that cannot be seen. */
export interface Piece {
  readonly text: string;
  readonly escape: boolean;
}

// Control and format characters (bidirectional ones and tags among them), lone
// surrogates, private use, separators, spaces other than the plain one, fillers
// and blanks that draw nothing, variation selectors.
const UNSEEN =
  /\p{Cc}|\p{Cf}|\p{Cs}|\p{Co}|\p{Zl}|\p{Zp}|(?! )\p{Zs}|\p{Variation_Selector}|[\u115f\u1160\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5/gu;

function isPlain(character: string, lines: boolean): boolean {
  return lines && (character === '\n' || character === '\t');
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** As the server writes them too. */
const ESCAPE = /<U\+[0-9A-F]{4,6}>/;

/** The pieces of a text of many lines; what the server escaped is marked like what is escaped here. */
export function pieces(text: string): Piece[] {
  return visibleLines(text)
    .split(new RegExp(`(${ESCAPE.source})`))
    .filter((part) => part !== '')
    .map((part) => ({ text: part, escape: ESCAPE.test(part) }));
}

/** The text with everything visible; new lines and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (character) => (isPlain(character, true) ? character : escaped(character)));
}

/** The same on one line. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** One line of at most `most` characters, for lists; never for what a person approves. */
export function shortened(text: string, most: number): string {
  const line = visible(text.replace(/\s+/gu, ' ').trim());
  const characters = Array.from(line);
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}

/** As inline code in Markdown, which it cannot leave. */
export function code(text: string): string {
  const line = visible(text);
  const longest = Math.max(0, ...Array.from(line.matchAll(/`+/gu), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = line.startsWith('`') || line.endsWith('`') || line.trim() === '' ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** As text in Markdown without any meaning, icons and links among them. */
export function plain(text: string): string {
  return visible(text).replace(/[\\`*_{}[\]()#+\-.!|<>&$~:@/]/gu, (character) => `&#${String(character.charCodeAt(0))};`);
}
