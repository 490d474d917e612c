/**
 * Characters that end a line, control a terminal or reorder text: control characters, line and paragraph separators,
 * and the marks of bidirectional text. A tab is harmless.
 */
const UNPRINTABLE = /(?!\t)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/**
 * Makes a text from a plugin, file or client safe for one line of a terminal or log: characters that could start
 * another line or control the terminal become escapes such as `\n` or `\x1b`. All texts from plugins pass through
 * this function before they are printed or logged.
 */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

/** The same for a text with several lines, such as a patch. Line ends are kept. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? character : escape(character)));
}

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const hex = character.charCodeAt(0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
