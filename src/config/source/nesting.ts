import { Lexer, LineCounter, Parser } from 'yaml';
import type { Position } from './problems.js';

/** Levels of lists and mappings in a file. */
export const DEPTH_MAX = 64;
export const TOO_DEEP = `nested more than ${DEPTH_MAX} deep`;

/** What the parser has open at once: a level is one token, or two with its key or its scalar. */
const OPEN_TOKENS_MAX = 2 * DEPTH_MAX + 2;

/**
 * Where a text nests far too deeply, or undefined. To be asked before anything else reads the text:
 * composing its nodes is recursive, and V8 may abort the process when that exhausts the stack.
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

/** Runs a generator for its effect. */
function drain(tokens: Iterator<unknown>): void {
  while (tokens.next().done !== true);
}
