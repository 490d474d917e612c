/**
 * Characters that end a line, command a terminal or reorder a line: control characters, line and paragraph
 * separators, and the marks of bidirectional text. A tab does none of these.
 */
const UNPRINTABLE = /(?!\t)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/**
 * A text that plugins, files or clients chose, as one line of text for a terminal or a log: whatever could
 * begin another line or command the terminal is written as an escape such as `\n` or `\x1b`. All texts of
 * plugins pass through here before they are printed or logged.
 */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

/** The same for a text with lines of its own, such as a patch. Line ends stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? character : escape(character)));
}

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const hex = character.charCodeAt(0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
