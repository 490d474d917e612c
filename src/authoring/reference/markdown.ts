import { oneLine, printable } from '../../printable.js';
import type { Block, Inline } from './blocks.js';

/** Characters with a meaning in Markdown, and those that begin HTML. */
const SPECIAL = /[\\`*_{}[\]()#+!|<>&~-]/g;

/** Writes a page as Markdown (CommonMark with tables). */
export function markdownPage(blocks: readonly Block[]): string {
  return `${blocks.map(block).join('\n\n')}\n`;
}

function block(given: Block): string {
  switch (given.kind) {
    case 'heading':
      return `${'#'.repeat(given.level)} ${plain(given.text)}`;
    case 'paragraph':
      return line(given.text);
    case 'list':
      return given.items.map((item) => `- ${line(item)}`).join('\n');
    case 'table':
      return [given.head.map(plain), given.head.map(() => '---'), ...given.rows.map((row) => row.map(line))]
        .map((cells) => `| ${cells.join(' | ')} |`)
        .join('\n');
    case 'code':
      return fenced(given.language, printable(given.text.trimEnd()));
  }
}

function line(parts: readonly Inline[]): string {
  return parts.map((part) => (typeof part === 'string' ? plain(part) : codeSpan(part.code))).join('');
}

function plain(text: string): string {
  return oneLine(text.replace(/\s+/g, ' ')).replace(SPECIAL, (character) => escaped(character));
}

/** Escapes only what would change the text, so that the source stays readable. */
function escaped(character: string): string {
  if (character === '<') return '&lt;';
  if (character === '&') return '&amp;';
  return /[()#+!{}~-]/.test(character) ? character : `\\${character}`;
}

/** A span is quoted with more backticks than its text has in a row. A table cell cannot hold a bar. */
function codeSpan(text: string): string {
  const shown = oneLine(text.replace(/\s+/g, ' ')).replaceAll('|', '\\|');
  const quote = '`'.repeat(longestRun(shown) + 1);
  const space = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return shown === '' ? '' : `${quote}${space}${shown}${space}${quote}`;
}

function fenced(language: string, text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
