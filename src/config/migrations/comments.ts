import { isMap, isNode, isPair, isSeq, Lexer, type Node, type Pair } from 'yaml';

/** A comment of a file. */
export interface FileComment {
  /** Counted from 1. */
  readonly line: number;
  /** Without the number sign and the spaces around the text. */
  readonly text: string;
}

/** The token that the lexer of the yaml package emits before a scalar. */
const SCALAR = '\u001f';

/** Every non-empty comment of a text, in order. */
function commentsOf(text: string): FileComment[] {
  const found: FileComment[] = [];
  let line = 1;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (token.startsWith('#') && !isScalar) {
      const said = token.replace(/^#+/, '').trim();
      if (said !== '') found.push({ line, text: said });
    }
    line += token.split('\n').length - 1;
    isScalar = token === SCALAR;
  }
  return found;
}

/**
 * The comments of a text that are missing in another text. A comment also counts as present when it is inside
 * another comment: an entry that was commented out takes its comments along.
 */
export function lostComments(before: string, after: string): FileComment[] {
  const given = commentsOf(before);
  const texts = new Set(given.map(({ text }) => text));
  const kept = new Map<string, number>();
  for (const { text } of commentsOf(after)) {
    const parts = texts.has(text) ? [text] : suffixes(text);
    for (const part of parts) kept.set(part, (kept.get(part) ?? 0) + 1);
  }
  return given.filter(({ text }) => {
    const left = kept.get(text) ?? 0;
    kept.set(text, left - 1);
    return left <= 0;
  });
}

/** A text and every suffix of it that follows a number sign. */
function suffixes(text: string): string[] {
  const starts = [...text.matchAll(/#+/g)].map(({ index, 0: signs }) => index + signs.length);
  return [text, ...starts.map((start) => text.slice(start).trim())];
}

/** The comments inside a node or pair, in order, as lines without the number sign. */
export function commentsWithin(part: unknown): string[] {
  if (isPair(part)) return [...commentsWithin(part.key), ...commentsWithin(part.value)];
  if (!isNode(part)) return [];
  const inner = isMap(part) || isSeq(part) ? (part.items as (Node | Pair)[]).flatMap(commentsWithin) : [];
  return [...linesOf(part.commentBefore), ...inner, ...linesOf(part.comment)];
}

function linesOf(comment: string | null | undefined): string[] {
  return (comment ?? '').split('\n').filter((line) => line.trim() !== '');
}
