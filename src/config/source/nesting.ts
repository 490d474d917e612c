import { Lexer, LineCounter, Parser } from 'yaml';
import type { Position } from './problems.js';

/** Maximum depth of nested lists and mappings in a file. */
export const DEPTH_MAX = 64;
export const TOO_DEEP = `nested more than ${DEPTH_MAX} deep`;

/** Tokens that the parser has open at once: one per level, or two with the key or scalar of the level. */
const OPEN_TOKENS_MAX = 2 * DEPTH_MAX + 2;

/**
 * The position where a text is nested too deeply, or undefined. Call this before any other parser sees the
 * text: composing nodes is recursive, and V8 may abort the process when the stack is exhausted.
 */
export function excessiveNesting(text: string): Position | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    drain(parser.next(lexeme));
    if (parser.stack.length > OPEN_TOKENS_MAX) {
      const { line, col } = lines.linePos(parser.offset);
      return { line, column: col };
    }
  }
  return undefined;
}

/** Runs a generator to its end for its side effects. */
function drain(tokens: Iterator<unknown>): void {
  while (tokens.next().done !== true);
}
